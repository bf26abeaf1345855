"""Every existing configuration at hand, read, and proved with its own server.

    python -m tests.prove.configurations [--files] [--show 5] [--only TEXT] [SERVER …]

Each goes the way of `detour convert FILE --prove`: read as a layer, the real server started with it (as
tests/prove/adapters.py lets it start), and both asked the same. Of the answers: equal; explained, by the
server's row; on a place that the reader lists as not understood, so that nothing is claimed; or unexplained,
with the pair. Exit status 1 when something is unexplained.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from detour.errors import DetourError, RuleError
from detour.formats.layer import Layer
from detour.load import load_layer
from detour.prove.compare import Difference
from detour.prove.nginx_text import statements
from detour.prove.proof import Proof, prove
from detour.prove.servers import Server, server_for
from detour.prove.whole import listed, whole
from tests.prove.adapters import adapted, folders, reason
from tests.prove.corpus import NAMES, Configuration, configurations

NOW = 1_800_000_000.0


class Outcome(msgspec.Struct, frozen=True):
    """What came of one configuration."""

    server: str
    name: str
    not_run: str = ""  # why the server could not be started, or the file not be read
    proof: Proof | None = None
    rules: int = 0
    places: int = 0  # that are not understood
    by_listed: int = 0  # differences that are gone when the listed places are taken out
    unexplained: tuple[Difference, ...] = ()

    @property
    def asked(self) -> int:
        return self.proof.asked + self.proof.unclaimed if self.proof else 0

    @property
    def equal(self) -> int:
        return self.proof.asked - len(self.proof.differences) if self.proof else 0

    @property
    def on_listed(self) -> int:
        """Questions that fall on what is not understood."""
        return self.proof.unclaimed + self.by_listed if self.proof else 0

    @property
    def explained(self) -> Counter[str]:
        found = self.proof.differences if self.proof else ()
        return Counter(one.why for one in found if one.why)


def proved(configuration: Configuration) -> Outcome:
    """One configuration, read and asked; why not, where that cannot be."""
    server = server_for(configuration.server)
    assert server is not None
    known = Outcome(configuration.server, configuration.name)
    try:
        layer = load_layer(configuration.path, "conf", configuration.server)
    except RuleError as error:
        return msgspec.structs.replace(known, not_run=f"it cannot be read: {error.faults[0].fact}")
    text, beside = whole(layer)
    beside = {**folders(server.name), **beside}
    try:
        proof = prove(
            server, adapted(server.name, text), layer.ruleset, NOW, beside=beside, listed=listed(layer)
        )
    except DetourError as error:
        return msgspec.structs.replace(known, not_run=reason(str(error)))
    left = tuple(_left(server, layer, proof))
    return msgspec.structs.replace(
        known,
        proof=proof,
        rules=len(layer.ruleset.rules),
        places=len(listed(layer)),
        by_listed=len(proof.unexplained) - len(left),
        unexplained=left,
    )


def _left(server: Server, layer: Layer, proof: Proof) -> Iterable[Difference]:
    """The differences that stay when the places that are not understood are taken out of the configuration:
    a measured demonstration that the others are of those places."""
    if not (proof.unexplained and layer.not_understood):
        return proof.unexplained
    text, beside = _without(layer)
    beside |= folders(server.name)
    try:
        again = prove(
            server,
            adapted(server.name, text),
            layer.ruleset,
            NOW,
            [one.question for one in proof.unexplained],
            beside,
        )
    except DetourError:
        return proof.unexplained
    still = {one.question for one in again.unexplained}
    return [one for one in proof.unexplained if one.question in still]


def _without(layer: Layer) -> tuple[str, dict[str, str]]:
    """The configuration without the directives that begin on listed lines."""
    texts = dict(layer.texts)
    for span in listed(layer):
        if span.file in texts:
            texts[span.file] = _blanked(texts[span.file], span.line, layer.dialect)
    text, beside = whole(msgspec.structs.replace(layer, texts=texts))
    return text, dict(beside)


def _blanked(text: str, line: int, dialect: str) -> str:
    lines = text.split("\n")
    if dialect != "nginx":
        lines[line - 1] = ""
        return "\n".join(lines)
    begins = sum(len(one) + 1 for one in lines[: line - 1])
    for one in statements(text):
        if begins <= one.start <= begins + len(lines[line - 1]):
            gap = re.sub(r"[^\n]", " ", text[one.start : one.end])
            text = text[: one.start] + gap + text[one.end :]
    return text


# ---- the table


def _told(asked: Iterable[Configuration], each: bool) -> Iterator[Outcome]:
    """What came of each, with a row for it at once where that is wanted."""
    for one in asked:
        outcome = proved(one)
        if each:
            sys.stdout.write(_file(outcome) + "\n")
            sys.stdout.flush()
        yield outcome


def printed(outcomes: list[Outcome], show: int) -> Iterator[str]:
    """A row a server, why some were not run, why some answers differ."""
    yield (
        f"{'server':<9}{'files':>6}{'run':>5}{'not':>5}{'rules':>7}{'listed':>8}{'asked':>8}{'equal':>8}"
        f"{'explained':>11}{'on listed':>11}{'unexplained':>13}"
    )
    for server in dict.fromkeys(one.server for one in outcomes):
        own = [one for one in outcomes if one.server == server]
        yield _row(server, own)
    for title, counts in (
        ("not run", Counter(f"{one.server}: {one.not_run}" for one in outcomes if one.not_run)),
        ("explained", sum((one.explained for one in outcomes), Counter[str]())),
    ):
        yield from (f"{title} {count:>6}  {why}" for why, count in counts.most_common())
    for one in outcomes:
        for found in one.unexplained[:show]:
            yield f"{one.name}: {found.question}: {found.server}, not {found.detour} ({found.rule})"


def _row(server: str, own: list[Outcome]) -> str:
    run = [one for one in own if one.proof]
    return (
        f"{server:<9}{len(own):>6}{len(run):>5}{len(own) - len(run):>5}{sum(one.rules for one in run):>7}"
        f"{sum(one.places for one in run):>8}{sum(one.asked for one in run):>8}"
        f"{sum(one.equal for one in run):>8}{sum(one.explained.total() for one in run):>11}"
        f"{sum(one.on_listed for one in run):>11}{sum(len(one.unexplained) for one in run):>13}"
    )


def _file(one: Outcome) -> str:
    told = one.not_run or (
        f"{one.rules} rules, {one.places} listed; {one.asked} asked, {one.equal} equal, "
        f"{one.explained.total()} explained, {one.on_listed} on listed, {len(one.unexplained)} unexplained"
    )
    return f"  {one.server} {one.name}: {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", action="store_true", help="a row for each file, too")
    parser.add_argument("--show", type=int, default=5, help="unexplained pairs of each file")
    parser.add_argument("--only", default="", help="files with this in their name")
    parser.add_argument("servers", nargs="*", default=NAMES, metavar="SERVER", help=", ".join(NAMES))
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="detour-configurations-") as name:
        asked = configurations(Path(name), words.servers)
        outcomes = list(_told((one for one in asked if words.only in one.name), words.files))
    sys.stdout.write("\n".join(printed(outcomes, words.show)) + "\n")
    return 1 if any(one.unexplained for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
