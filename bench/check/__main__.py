"""`python -m bench.check`: 20,000 URLs that redirect one to three times, followed by client after client."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.check.clients import CLIENTS, Client
from bench.check.origin import nginx, requests_for, urls
from bench.check.report import Report, Row, Size, growth, table
from bench.check.run import Round, measure
from bench.machine import this_machine, two_cores
from bench.process import Absent, Server, free_port

RESULTS = Path(__file__).parents[1] / "results"
LENGTHS = (10_000, 100_000, 1_000_000)  # of the lists that memory is watched over


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.check", description=__doc__)
    parser.add_argument("--urls", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument("--rounds", type=int, default=5, help="times each client runs (default 5)")
    parser.add_argument("--at-once", type=int, default=64, help="requests at a time (default 64)")
    parser.add_argument("--seconds", type=float, default=120, help="patience for one run (default 120)")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these rows only")
    parser.add_argument(
        "--million", action="store_true", help="memory over 10^4, 10^5 and 10^6 URLs, as well"
    )
    parser.add_argument("--patience", type=float, default=1200, help="seconds for the million (default 1200)")
    return parser.parse_args()


def _chosen(names: list[str] | None) -> list[Client]:
    known = {client.name: client for client in CLIENTS}
    unknown = set(names or ()) - known.keys()
    if unknown:
        sys.exit(f"no row {', '.join(sorted(unknown))}; the rows are {', '.join(known)}")
    return [client for client in CLIENTS if not names or client.name in names]


class Bench:
    """The origin that runs, the list, and the clients that have not failed."""

    def __init__(self, folder: Path, port: int, flags: argparse.Namespace) -> None:
        self._folder, self._port, self._flags = folder, port, flags
        self._core = two_cores()[1]
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.listed = self._list("urls.txt", flags.urls, 3)

    def _list(self, name: str, count: int, longest: int) -> Path:
        path = self._folder / name
        with path.open("w") as file:
            file.writelines(f"{url}\n" for url in urls(self._port, count, longest))
        return path

    def rounds(self, clients: list[Client]) -> dict[str, list[Round]]:
        """Client after client, and over again: a slow minute of the machine meets them all."""
        seen: dict[str, list[Round]] = {}
        for number in range(self._flags.rounds):
            for client in clients:
                if client.name not in self.absent:
                    _progress(f"round {number + 1} of {self._flags.rounds}: {client.name}")
                    self._round(client, seen)
        _progress("")
        return seen

    def _round(self, client: Client, seen: dict[str, list[Round]]) -> None:
        flags = self._flags
        try:
            self.versions.setdefault(client.name, client.version())
            ended = measure(client, self.listed, flags.urls, flags.at_once, self._core, flags.seconds)
            seen.setdefault(client.name, []).append(ended)
        except (Absent, OSError, ValueError) as reason:
            self.absent[client.name] = str(reason) or type(reason).__name__

    def sizes(self, detour: Client) -> list[Size]:
        """Memory of `detour check` over longer and longer lists, one redirect each."""
        found = []
        for count in LENGTHS:
            _progress(f"{count:,} URLs")
            listed = self._list(f"{count}.txt", count, 1)
            ended = measure(detour, listed, count, self._flags.at_once, self._core, self._flags.patience)
            found.append(Size.of(ended, count))
        _progress("")
        return found


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _measure(flags: argparse.Namespace) -> Report:
    clients = _chosen(flags.only)
    with tempfile.TemporaryDirectory(prefix="detour-bench-") as made:
        folder = Path(made)
        folder.chmod(0o755)  # nginx's worker is another user
        port = free_port()
        with Server(nginx(folder, port), port, two_cores()[0], folder) as server:
            server.wait()
            bench = Bench(folder, port, flags)
            seen = bench.rounds(clients)
            sizes = bench.sizes(CLIENTS[0]) if flags.million else []
    return Report(
        machine=this_machine(),
        versions=bench.versions,
        absent=bench.absent,
        rows=tuple(Row.of(name, rounds, flags.urls) for name, rounds in seen.items()),
        sizes=tuple(sizes),
        urls=flags.urls,
        requests=requests_for(flags.urls),
        rounds=flags.rounds,
        at_once=flags.at_once,
    )


def _print(report: Report) -> None:
    print(report.machine)
    asked = f"{report.urls:,} URLs, {report.requests:,} requests"
    print(f"{asked}, {report.at_once} at once, {report.rounds} rounds")
    print("", "CPU µs a URL, of the client, from its start to its end", table(report.rows), "", sep="\n")
    if report.sizes:
        print(growth(report.sizes), "", sep="\n")
    for name, reason in report.absent.items():
        print(f"absent: {name}: {reason}")
    notes = {client.name: client.note for client in CLIENTS if client.note}
    for name, said in report.versions.items():
        print(f"{name}: {said}" + (f" ({notes[name]})" if name in notes else ""))


def _keep(report: Report) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"check-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return path


def main() -> None:
    """Measure, print, keep."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        report = _measure(_flags())
    except KeyboardInterrupt:
        sys.exit(130)
    _print(report)
    print(f"\nJSON: {_keep(report)}")


if __name__ == "__main__":
    main()
