"""A peer as running processes: started on its core, counted, and gone at the end."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import msgspec
import psutil  # type: ignore[import-untyped]

START_SECONDS = 15.0
STOP_SECONDS = 5.0


class Absent(Exception):
    """A peer that cannot be measured here; the message is the reason, in one line."""


class Launch(msgspec.Struct, frozen=True):
    """How to start a peer: its command line, and what its environment needs beside ours."""

    argv: tuple[str, ...]
    env: dict[str, str] = {}


class Cpu(msgspec.Struct, frozen=True):
    """Seconds of CPU time, as /proc/PID/stat counts them."""

    user: float = 0.0
    system: float = 0.0

    def __add__(self, other: Cpu) -> Cpu:
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.user - other.user, self.system - other.system)


class Memory(msgspec.Struct, frozen=True):
    """Octets of memory: shared pages in proportion (PSS), and those that nobody else maps (USS)."""

    resident: int = 0
    private: int = 0

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.resident + other.resident, self.private + other.private)


def free_port() -> int:
    """A port the kernel just had free on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _bind_to(core: int, argv: tuple[str, ...]) -> list[str]:
    return ["taskset", "--cpu-list", str(core), *argv]


class Server:
    """A started peer; a context manager that leaves no process behind."""

    def __init__(self, launch: Launch, port: int, core: int, folder: Path) -> None:
        self.port = port
        self._log = folder / "log"
        self._family: dict[int, psutil.Process] = {}
        with self._log.open("wb") as log:
            self._root = subprocess.Popen(
                _bind_to(core, launch.argv),
                env={**os.environ, **launch.env},
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._see()
        self._root.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._root.wait(STOP_SECONDS)
        for process in self._family.values():
            with contextlib.suppress(psutil.NoSuchProcess):  # psutil checks the start time: never a reused id
                process.kill()
        self._root.wait()

    def wait(self, seconds: float = START_SECONDS, most_bytes: float = math.inf) -> None:
        """Return when the port answers; raises `Absent` with the last line the peer wrote, or when it
        takes longer than `seconds` or more memory than `most_bytes`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._root.poll() is not None:
                raise Absent(f"exit {self._root.returncode}: {self._last_line()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._resident() > most_bytes:
                raise Absent(f"takes over {most_bytes / 1e9:.0f} GB while it loads")
            time.sleep(0.01)
        raise Absent(f"does not listen after {seconds:.0f} s: {self._last_line()}")

    def cpu(self) -> Cpu:
        """CPU time of the whole family so far, threads included."""
        self._see()
        total = Cpu()
        for process in self._family.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += Cpu(times.user, times.system)
        return total

    def memory(self) -> Memory:
        """What the whole family holds now."""
        self._see()
        total = Memory()
        for process in self._family.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                held = process.memory_full_info()
                total += Memory(held.pss, held.uss)
        return total

    def _resident(self) -> int:
        with contextlib.suppress(psutil.NoSuchProcess):
            return int(psutil.Process(self._root.pid).memory_info().rss)
        return 0

    def _see(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._root.pid)
            for process in (root, *root.children(recursive=True)):
                self._family.setdefault(process.pid, process)

    def _last_line(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"
