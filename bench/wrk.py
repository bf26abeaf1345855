"""wrk, the load generator: one thread on its core; wrk.lua beside this file says what it sends."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from bench.process import Absent

SCRIPT = Path(__file__).with_name("wrk.lua")


class Outcome(msgspec.Struct, frozen=True):
    """What the load generator saw: requests answered, microseconds, and what went wrong."""

    requests: int
    microseconds: int
    strange: int  # answers that are not 307; counted only while warming
    status: int  # answers of 400 and above
    connect: int
    read: int
    write: int
    timeout: int
    p50: float  # microseconds to an answer, half of them; all connections always have one request open
    p99: float

    @property
    def errors(self) -> int:
        """Everything that is no redirect received."""
        return self.strange + self.status + self.connect + self.read + self.write + self.timeout


class Generator(msgspec.Struct, frozen=True):
    """wrk on its core, with a number of connections."""

    core: int
    connections: int

    def run(self, port: int, seconds: float, requests: Path, *modes: str) -> Outcome:
        """Send what the file `requests` holds for whole `seconds`; `modes` are words of wrk.lua. Raises
        `Absent` when the peer is gone."""
        argv = ["taskset", "--cpu-list", str(self.core), "wrk", "--threads", "1"]
        argv += ["--connections", str(self.connections), "--duration", f"{seconds:.0f}s", "--timeout", "5s"]
        argv += ["--script", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", str(requests), *modes]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30, check=False)
        if ended.returncode:
            raise Absent(f"wrk cannot load it: {(ended.stderr + ended.stdout).strip().splitlines()[-1]}")
        return msgspec.json.decode(ended.stdout.strip().splitlines()[-1], type=Outcome)
