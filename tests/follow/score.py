"""How well the table of fingerprints names what it was not made from.

`python -m tests.follow.score` prints, for each folder of held-out captures and each emitter, how many are
named rightly by the first guess: as received, and with every Server field taken away; and how many are said
to *be* somebody else's. Exit 1 when a bar is missed. The bars are for other versions and settings; what
another proxy passed on is scored beside them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import msgspec

from tests.follow.captured import HELD_OUT, Capture, named, read, stripped, unchanged, wrongly_certain

OTHER_BUILDS = ("applications", "edges")
BEHIND_PROXIES = ("applications_behind_nginx", "edges_behind_proxies")
AS_RECEIVED, STRIPPED = 0.90, 0.75  # the least shares of `OTHER_BUILDS` named rightly


class Score(msgspec.Struct, frozen=True):
    """How many captures there are, how many are named rightly, and how many are certainly another's."""

    captures: int
    received: int
    stripped: int
    wrongly_certain: int

    @property
    def met(self) -> bool:
        """Whether it is up to the bars."""
        most = self.captures
        return self.received >= AS_RECEIVED * most and self.stripped >= STRIPPED * most

    def __str__(self) -> str:
        shares = (f"{found:5}  {found / self.captures:6.1%}" for found in (self.received, self.stripped))
        return f"{self.captures:8}  {'   '.join(shares)}  {self.wrongly_certain:8}"


def held_out(*folders: str) -> list[Capture]:
    """The held-out captures of these folders."""
    return [capture for folder in folders for capture in read(HELD_OUT / folder)]


def score(captures: Iterable[Capture]) -> Score:
    """The score of these captures."""
    kept = list(captures)
    received, bare = (
        sum(named(seen(one.hop)) == one.emitter for one in kept) for seen in (unchanged, stripped)
    )
    wrong = {name for seen in (unchanged, stripped) for name, _ in wrongly_certain(kept, seen)}
    return Score(len(kept), received, bare, len(wrong))


def lines() -> Iterator[str]:
    """The scores of each folder by emitter, and in total."""
    yield f"{'':28}{'captures':>8}  {'as received':>13}   {'no Server':>13}  {'wrong is':>8}"
    for folder in (*OTHER_BUILDS, *BEHIND_PROXIES):
        captures = held_out(folder)
        yield f"{folder:28}{score(captures)}"
        for emitter in sorted({one.emitter for one in captures}, key=str.lower):
            yield f"  {emitter:26}{score(one for one in captures if one.emitter == emitter)}"
    yield f"{'other versions and settings':28}{score(held_out(*OTHER_BUILDS))}"
    yield f"{'behind another proxy':28}{score(held_out(*BEHIND_PROXIES))}"
    yield f"{'all':28}{score(held_out(*OTHER_BUILDS, *BEHIND_PROXIES))}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
    total, everything = score(held_out(*OTHER_BUILDS)), score(held_out(*OTHER_BUILDS, *BEHIND_PROXIES))
    sys.exit(0 if total.met and not everything.wrongly_certain else 1)
