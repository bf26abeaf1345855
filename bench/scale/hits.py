"""Which rule is asked for: the targets of one load, and the proof that a peer answers them rightly."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from bench.answer import ask
from bench.process import Absent
from bench.scale.kinds import HOST, Kind

HITS = ("random", "first", "middle", "last", "miss")
TARGETS = 1 << 17  # of a load on random rules; wrk holds them all
FEW_TARGETS = 1 << 12  # of the others
PROOFS = 50
SLOWEST = 0.02  # seconds for one answer to an idle peer: beyond it, it is not worth measuring
SEED = 307


def hits_of(count: int) -> tuple[str, ...]:
    """Of a single rule the first, the middle and the last are the random one."""
    return HITS if count > 1 else ("random", "miss")


def _number(hit: str, count: int, lot: Random) -> int:
    match hit:
        case "first":
            return 0
        case "middle":
            return count // 2
        case "last":
            return count - 1
        case "miss":
            return count + lot.randrange(count)
    return lot.randrange(count)


def write_targets(path: Path, kind: Kind, count: int, hit: str, most: int = TARGETS) -> Path:
    """A file of targets, a line each, for wrk.lua; random rules are drawn uniformly over all of them.

    Where there are to be no more than `most`, each is another one, by its query: a single rule, too, is
    asked for so many targets.
    """
    lot = Random(SEED)
    lines = min(most, TARGETS if hit == "random" else FEW_TARGETS)
    end = "?n={}\n" if most < TARGETS else "\n"
    with path.open("w", encoding="ascii") as file:
        file.writelines(
            f"{kind.ask(_number(hit, count, lot), lot)[0]}{end.format(line)}" for line in range(lines)
        )
    return path


def prove(port: int, kind: Kind, count: int) -> None:
    """Random rules, the first and the last answer with their Location, others with 404; raises `Absent`."""
    lot = Random(count)
    numbers = [0, count - 1, *(lot.randrange(count) for _ in range(PROOFS))]
    began = time.monotonic()
    for number in numbers:
        prove_one(port, *kind.ask(number, lot))
    each = (time.monotonic() - began) / len(numbers)
    if each > SLOWEST:
        raise Absent(f"cannot hold: {each * 1e3:.0f} ms for one answer when idle")
    for number in range(count, count + 3):
        target, _ = kind.ask(number, lot)
        if (answer := ask(port, target, HOST))[0] != 404:
            raise Absent(f"wrong: {answer} to {target}, which no rule matches")


def prove_one(port: int, target: str, location: str) -> None:
    """One answer is 307 with the Location due; raises `Absent`."""
    answer = ask(port, target, HOST)
    if answer != (307, [location]):
        raise Absent(f"wrong: {answer} to {target}, not {location}")
