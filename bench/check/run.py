"""One client over one list: how long it took, what it used, and whether everything arrived."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.check.clients import Client
from bench.process import Absent


class Round(msgspec.Struct, frozen=True):
    """Seconds of one run, by the clock and of CPU (user, system), and octets of memory at the most."""

    seconds: float
    user: float
    system: float
    most_memory: int


def measure(client: Client, listed: Path, count: int, at_once: int, core: int, seconds: float) -> Round:
    """Run a client on its core; raises `Absent` when it is too slow or not every URL arrived."""
    argv = client.argv(listed, at_once)
    output = listed.with_suffix(".out")
    with output.open("wb") as out:
        ended = _run(argv, out.fileno(), core, seconds)
    arrived = client.arrived(output.read_text(errors="replace"))
    if arrived != count:
        raise Absent(f"{arrived} of {count} URLs arrived")
    return ended


def _run(argv: Sequence[str], out: int, core: int, seconds: float) -> Round:
    """rusage of the process and of the children it waited for, threads included (wait4(2))."""
    began = time.monotonic()
    process = subprocess.Popen(
        ["taskset", "--cpu-list", str(core), *argv],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=_environment(Path(tempfile.gettempdir()) / "detour-bench-bytecode"),
    )
    ended, usage, memory = _waited(process.pid, began + seconds)
    if not ended:
        process.kill()
        process.wait()
        raise Absent(f"not done after {seconds:.0f} s")
    process.returncode = 0  # it was waited for here
    return Round(time.monotonic() - began, usage.ru_utime, usage.ru_stime, memory)


def _environment(bytecode: Path) -> dict[str, str]:
    """Python clients start from bytecode, as installed ones do, whatever this shell says about it."""
    others = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**others, "PYTHONPYCACHEPREFIX": str(bytecode)}


def _waited(pid: int, deadline: float) -> tuple[bool, os.struct_rusage, int]:  # type: ignore[name-defined]
    """Whether it ended, what it used, and its memory at the most: `wait4` counts that of its parent, too."""
    memory = 0
    while True:
        memory = _peak(pid) or memory
        ended, _, usage = os.wait4(pid, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            return bool(ended), usage, memory
        time.sleep(0.01)


def _peak(pid: int) -> int:
    """Octets resident at the most so far (proc(5)); 0 when it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
