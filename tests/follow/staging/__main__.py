"""What `detour trace` prints on every cause and loop: as people had it, and as its remedy says.

`python -m tests.follow.staging [NAME…]` plays the stagings whose names begin so (U2, L5-cookie), then the
published responses; exit 1 when one is not named, or is still named with its remedy followed.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from detour.cli.chain_text import chain_lines
from detour.follow.trace import judge
from tests.follow.published.responses import PUBLISHED
from tests.follow.staging.stage import Stage
from tests.follow.staging.stagings import STAGINGS, Staging

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(staging: Staging, remedied: bool) -> tuple[str, bool]:
    """What is printed, under the command; and whether it names the cause."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
        printed = stage.traced(staging.method, staging.url, staging.start(stage, remedied))
    asked = "-X POST -d a=1 " if staging.method == "POST" else ""
    return f"$ detour trace {asked}{staging.url}\n{printed}", names(printed, staging.finding)


def names(printed: str, finding: str) -> bool:
    """Whether one of the findings has this name."""
    return re.search(rf"\[([^]]*\s)?{finding}[,\]]", printed) is not None


def played(wanted: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Each staging twice and each published response once: a text, and whether all is well."""
    for staging in STAGINGS:
        if staging.name.startswith(wanted):
            as_was, named = shown(staging, False)
            yield f"=== {staging.name}: as people had it\n\n{as_was}", named
            mended, still = shown(staging, True)
            yield f"=== {staging.name}: remedied\n\n{mended}", not still
    for published in PUBLISHED:
        if published.id.startswith(wanted):
            text = _COLOUR.sub("", "\n".join(chain_lines(judge(published.chain))))
            head = f"=== {published.id}-{published.finding}: published, {published.source}"
            yield f"{head}\n\n{text}\n", names(text, published.finding)


def main(wanted: tuple[str, ...]) -> int:
    """Print everything; 1 when a cause was missed or did not go."""
    wrong = []
    for text, well in played(wanted or ("",)):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        wrong += [] if well else [text.partition("\n")[0]]
    sys.stdout.write("\n".join([f"{len(wrong)} not as they should be", *wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
