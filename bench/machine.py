"""The machine that is measured on: what it is, its two cores, and who else is busy on them."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]


class Machine(msgspec.Struct, frozen=True):
    """Where and when it was measured."""

    cpu: str
    cores: int
    kernel: str
    python: str
    date: str

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, kernel {self.kernel}, Python {self.python}, {self.date}"


def this_machine() -> Machine:
    """The machine this runs on."""
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def two_cores() -> tuple[int, int]:
    """The server's core and the load's."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("one processor only; the load would run on the server's core: use two")
    return cores[1], cores[0]


def core_seconds(core: int) -> float:
    """Seconds that a core has worked so far, for anybody; stolen time included."""
    times = psutil.cpu_times(percpu=True)[core]
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)
