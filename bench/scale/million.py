"""A million exact rules, from CSV to answers: `python -m bench.scale.million [--rules N] [--runs 5]`.

Compiled, started, asked for a hundred thousand and then a million distinct targets, and reloaded again and
again while a client asks at a steady rate: from the compiled file, and from the CSV. Printed: seconds,
megabytes, latencies before and during a reload, answers that are neither the old set's nor the new one's,
and the largest proportional set size (PSS) of the whole process tree against the one at rest.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from bench.machine import this_machine
from bench.process import free_port

DETOUR = Path(sys.executable).with_name("detour")
WORDS = (
    "quick",
    "brown",
    "fox",
    "lazy",
    "dog",
    "river",
    "stone",
    "cloud",
    "amber",
    "delta",
    "maple",
    "silver",
)
RATE = 200.0  # requests a second while reloading
BATCH = 64  # requests sent at once while targets are swept
MIB = 1 << 20


def slug(number: int) -> str:
    """The path of rule `number`: words and a suffix, as a publisher would have it."""
    words = "-".join(WORDS[number // 12**place % 12] for place in range(4))
    return f"/articles/{words}-{number:x}"


def write_rules(folder: Path, count: int, version: str) -> None:
    """The CSV, and the rule file that imports it; renamed into place."""
    fresh = folder / "new.csv"
    with fresh.open("w") as out:
        for number in range(count):
            out.write(f"{slug(number)},https://{version}.example.com/new/{number},301\n")
    fresh.rename(folder / "million.csv")
    rules = '[[rule]]\nname = "million"\nimport = "million.csv"\ndialect = "csv"\n'
    (folder / "million.toml").write_text(rules)


def compile_rules(folder: Path, name: str) -> float:
    """Seconds that `detour compile` takes."""
    begun = time.perf_counter()
    subprocess.run([DETOUR, "compile", folder / "million.toml", "-o", folder / name], check=True)
    return time.perf_counter() - begun


class Server:
    """`detour serve` with two workers, and what it said."""

    def __init__(self, rules: Path, *flags: str) -> None:
        self.port = free_port()
        self._log = rules.with_name("serve.log")
        command = [DETOUR, "serve", rules, "--listen", f"http://127.0.0.1:{self.port}", "--workers", "2"]
        with self._log.open("w") as log:
            begun = time.perf_counter()
            self.process = subprocess.Popen([*command, "--admin", "off", *flags], stderr=log)
        while not self._answers():
            if self.process.poll() is not None:
                sys.exit(self._log.read_text())
        self.seconds = time.perf_counter() - begun
        self.tree = psutil.Process(self.process.pid)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return ask(connection, 0).startswith("https://")
        except OSError:
            time.sleep(0.005)
            return False

    def workers(self) -> list[psutil.Process]:
        """The children at rest: its workers."""
        return self.tree.children()

    def pss(self) -> float:
        """MiB of the whole tree, shared pages counted once."""
        total = 0
        for process in (self.tree, *self.tree.children(recursive=True)):
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue  # it has just ended
        return total / MIB

    def resident(self) -> tuple[float, float]:
        """MiB that are resident in the workers: all, and what is neither shared nor of a file (proc(5))."""
        told = [Path(f"/proc/{worker.pid}/status").read_text() for worker in self.workers()]
        return tuple(sum(_kib(text, name) for text in told) / 1024 for name in ("VmRSS", "RssAnon"))

    def reloads(self) -> int:
        return self._log.read_text().count("reloaded")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(40)


def _kib(status: str, name: str) -> int:
    return int(status.partition(f"\n{name}:")[2].split(maxsplit=1)[0])


@contextmanager
def serving(rules: Path) -> Iterator[Server]:
    server = Server(rules)
    try:
        yield server
    finally:
        server.end()


def request(number: int) -> bytes:
    return f"GET {slug(number)} HTTP/1.1\r\nHost: www.example.com\r\n\r\n".encode()


def ask(connection: socket.socket, number: int) -> str:
    """The Location that rule `number` answers with."""
    connection.sendall(request(number))
    answer = b""
    while b"</a>" not in answer:
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed")
        answer += data
    return answer.partition(b"\r\nLocation: ")[2].partition(b"\r\n")[0].decode()


def sweep(port: int, first: int, last: int) -> None:
    """Ask for every target from `first` to `last`, each once, spread over all workers."""
    connections = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(8)]
    numbers = list(range(first, last))
    random.Random(7).shuffle(numbers)
    for place in range(0, len(numbers), BATCH):
        connection = connections[place // BATCH % len(connections)]
        batch = numbers[place : place + BATCH]
        connection.sendall(b"".join(request(number) for number in batch))
        left, tail = len(batch), b""
        while left > 0:
            data = tail + connection.recv(1 << 18)
            left -= data.count(b"</a>.\n")
            tail = data[-5:] if not data.endswith(b"</a>.\n") else b""
    for connection in connections:
        connection.close()


class Steady(threading.Thread):
    """A client that asks at a steady rate on eight connections; latencies count from when each was due."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__()
        self._connections = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(8)]
        self._newest = [0] * 8
        self._count = count
        self.over = threading.Event()
        self.latencies: list[tuple[float, float]] = []  # when it was due, milliseconds
        self.failed = self.strange = self.backwards = 0
        self.versions: list[str] = []

    def run(self) -> None:
        chosen = random.Random(11)
        start = time.perf_counter()
        for number in range(10**9):
            if self.over.is_set():
                return
            due = start + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            self._ask(number % 8, chosen.randrange(self._count))
            self.latencies.append((due, (time.perf_counter() - due) * 1000))

    def _ask(self, place: int, number: int) -> None:
        try:
            host, _, path = ask(self._connections[place], number).removeprefix("https://").partition("/")
        except OSError:
            self.failed += 1
            return
        version = host.removesuffix(".example.com")
        if version not in self.versions or path != f"new/{number}":
            self.strange += 1
            return
        age = self.versions.index(version)
        self.backwards += age < self._newest[place]
        self._newest[place] = age

    def p99(self, begun: float, ended: float) -> float:
        """Of the requests due within a stretch of time."""
        found = sorted(took for due, took in self.latencies if begun <= due < ended)
        return found[min(len(found) - 1, int(0.99 * len(found)))]


def reload(
    server: Server, replace: Path, fresh: Path, client: Steady, version: str
) -> tuple[float, float, float]:
    """Replace the file: p99 of the five seconds before, p99 until it is in force, and the peak PSS."""
    before = time.perf_counter()
    time.sleep(5)
    begun, reloads, peak = time.perf_counter(), server.reloads(), 0.0
    client.versions.append(version)
    fresh.rename(replace)
    while server.reloads() == reloads:
        peak = max(peak, server.pss())
        time.sleep(0.05)
        if time.perf_counter() > begun + 120:
            sys.exit("the reload did not come to an end")
    time.sleep(0.5)
    return client.p99(before, begun), client.p99(begun, time.perf_counter()), peak


def reloads(title: str, rules: Path, folder: Path, flags: argparse.Namespace) -> None:
    """Reload `rules` again and again under a steady load, and print what came of it."""
    with serving(rules) as server:
        sweep(server.port, 0, min(10**5, flags.rules))
        rest = server.pss()
        client = Steady(server.port, flags.rules)
        client.versions.append("a")
        client.start()
        runs = []
        for number in range(flags.runs):
            version = "ba"[number % 2] + str(number)
            compiled = rules.suffix == ".detours"
            write_rules(folder / "work", flags.rules, version)
            if compiled:
                compile_rules(folder / "work", rules.name)
            name = rules.name if compiled else "million.csv"
            runs.append(reload(server, folder / name, folder / "work" / name, client, version))
        client.over.set()
        client.join()
        after = server.pss()
    print(
        f"\n{title}: {len(client.latencies)} requests, {client.failed} failed, {client.strange} strange, "
        f"{client.backwards} old after new"
    )
    for before, during, peak in runs:
        print(f"  p99 before {before:7.2f} ms, during {during:7.2f} ms; peak PSS {peak:5.0f} MiB")
    excess = [during - before for before, during, _ in runs]
    print(f"  p99 above before: median {median(excess):.2f} ms, worst {max(excess):.2f} ms")
    peak = max(peak for _, _, peak in runs)
    print(f"  PSS of the tree: {rest:.0f} MiB at rest, {after:.0f} afterwards")
    print(f"  at its peak {peak:.0f}: {peak / rest:.2f} x")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale.million", description=__doc__)
    parser.add_argument("--rules", type=int, default=10**6)
    parser.add_argument("--runs", type=int, default=5)
    flags = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="detour-million-"))
    (folder / "work").mkdir()
    try:
        measure(folder, flags)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, flags: argparse.Namespace) -> None:
    """Everything, in `folder`."""
    print(this_machine())
    write_rules(folder, flags.rules, "a")
    took = compile_rules(folder, "million.detours")
    size = os.path.getsize(folder / "million.detours") / MIB
    print(f"{flags.rules} rules: compiled from CSV in {took:.1f} s, {size:.0f} MiB")
    with serving(folder / "million.detours") as server:
        uss = sum(worker.memory_full_info().uss for worker in server.workers()) / MIB
        print(f"first answer {server.seconds:.2f} s after the start from the compiled file")
        print(f"private memory of two workers: {uss:.0f} MiB at the start")
        sweep(server.port, 0, flags.rules // 10)
        first = server.resident()
        sweep(server.port, flags.rules // 10, flags.rules)
        second = server.resident()
        for name, tenth, whole in zip(("resident", "of which anonymous"), first, second, strict=True):
            print(f"  {name}: {tenth:.1f} after a tenth of all targets, {whole:.1f} after all", end="")
            print(f": {whole - tenth:+.1f}")
    reloads("reloaded from the compiled file", folder / "million.detours", folder, flags)
    reloads("reloaded from CSV", folder / "million.toml", folder, flags)


if __name__ == "__main__":
    main()
