"""A chain for a person at a terminal: what happened to the request, hop by hop, and what to change.

What matters stands first in a hop: the answer, who gave it, what was lost. What a status means is told once.
Everything a server wrote is shown and never obeyed: control characters are spelled out.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

import typer

from detour.audit.finding import Finding
from detour.audit.folding import Told, folded
from detour.audit.printable import lines, one_line
from detour.core.chain import ENDS, Chain, Hop, Response, Timings
from detour.core.policy import FETCH
from detour.core.status import REDIRECT_STATUSES
from detour.follow.document import Carried, carried
from detour.follow.early import EXPECT, early_answer
from detour.follow.fingerprint import Guess
from detour.follow.trace import Judged

MOST_SHOWN = 300  # characters of one value
MOST_OF_A_REMEDY = 1000  # characters of one line
WIDTH = 110
_INDENT = "   "
_BELOW = " " * 9
_ARROW = " " * 7 + "→ "
_CODE = re.compile(r"[{}=$<>]|;$|--|\w_\w")  # a line somebody may copy is not broken
_SPAN = re.compile(r"`[^`]*`")  # nor is code within a line
_SEVERITY_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
_KEPT_COLOURS = {"kept": "green", "dropped": "yellow", "leaked": "red"}
_FIRST_FAILURE = 400  # RFC 9110 §15
# Ends whose detail is only a number; all others say in their detail what the end means here.
_MEANT_TOO = frozenset({"many-locations"})
_PHASES = (("dns", "name"), ("connect", "connect"), ("tls", "TLS"), ("first_byte", "first byte"))


def chain_lines(judged: Judged, commands: Sequence[str] = ()) -> Iterator[str]:
    """Every hop, with the command that reproduces it; the end; findings with remedies, the worst first."""
    yield from hop_lines(judged, commands)
    yield end_line(judged.chain)
    if judged.findings:
        yield ""
        yield from finding_lines(judged.findings, len(judged.chain.hops) > 1)


def hop_lines(judged: Judged, commands: Sequence[str] = ()) -> Iterator[str]:
    """Every hop, an empty line after each; before them whose eyes see it, unless a browser's."""
    if judged.chain.policy != FETCH.name:
        yield _aside(f"through the eyes of {judged.chain.policy}")
    told: set[int] = set()
    for place, hop in enumerate(judged.chain.hops):
        yield from _hop(judged, place, told)
        if hop.response is not None:
            told.add(hop.response.status)
        if commands:
            yield f"{_INDENT}$ {commands[place]}"
        yield ""


def shown(text: str) -> str:
    """A text of a peer on one line, no longer than a person wants to read."""
    visible = one_line(text[: MOST_SHOWN + 1])
    return visible if len(text) <= MOST_SHOWN else f"{visible[:MOST_SHOWN]}… ({len(text)} characters)"


def end_line(chain: Chain) -> str:
    """Where the chain ended: the name of the end, and what that means here."""
    name, detail = chain.end.name, shown(chain.end.detail)
    if name == "arrived" and chain.hops[-1].response is not None:
        return _arrived(chain, chain.hops[-1].response)
    if not detail or name in _MEANT_TOO:
        detail = f"{detail}: {ENDS[name]}" if detail else ENDS[name]
    colour = {"not-followed": "green", "needs-consent": "yellow"}.get(name, "red")
    return f"{typer.style(name, fg=colour, bold=True)}: {detail}"


def _arrived(chain: Chain, response: Response) -> str:
    redirects = len(chain.hops) - 1
    colour = "green" if response.status < _FIRST_FAILURE else "red"
    seconds = sum(hop.response.timings.total for hop in chain.hops if hop.response)
    way = f" after {redirects} redirect{'' if redirects == 1 else 's'}" if redirects else ", no redirect"
    where = f" at {shown(str(chain.hops[-1].request.url))}" if redirects else ""
    time = f", {seconds * 1000:.1f} ms" if seconds else ""
    name = typer.style("arrived", fg=colour, bold=True)
    return f"{name}: {_status(response)}{where}{way}{time}"


def finding_lines(findings: Sequence[Finding], places: bool = True) -> Iterator[str]:
    """Each finding: how grave, where, the fact; under it what to change, a line for each place to change."""
    for told in folded(findings):
        yield from _finding(told, places)


def _finding(told: Told, places: bool) -> Iterator[str]:
    one = told.finding
    place = f"hop {one.hop + 1}: " if places and one.hop >= 0 else ""
    sure = "" if one.confidence == "is" else "perhaps: "
    first, *more = _with_names(_wrapped(f"{place}{sure}{shown(one.message)}", _BELOW) or [_BELOW], told.names)
    severity = typer.style(f"{one.severity:7}", fg=_SEVERITY_COLOURS[one.severity], bold=True)
    yield f"{severity}  {first.removeprefix(_BELOW)}"
    yield from more
    for line in filter(None, lines(one.remedy).split("\n")):
        yield from _remedy(line[:MOST_OF_A_REMEDY])  # a Location may stand in it


def _with_names(message: list[str], names: str) -> list[str]:
    """The names at the end of the last line, or below it where they do not fit."""
    *before, last = message
    fits = len(last) + len(names) + 4 <= WIDTH
    return [*before, f"{last}  {_aside(f'[{names}]')}"] if fits else [*message, _BELOW + _aside(f"[{names}]")]


def _remedy(line: str) -> list[str]:
    """One thing to change; what is indented belongs to the line before."""
    if line.startswith(" "):
        return [_BELOW + line]
    return [_ARROW + line] if _CODE.search(_SPAN.sub("", line)) else _wrapped(line, _ARROW)


def _wrapped(line: str, first: str) -> list[str]:
    kept = _SPAN.sub(lambda span: span[0].replace(" ", "\0"), line)
    wrapped = textwrap.wrap(
        kept,
        WIDTH,
        initial_indent=first,
        subsequent_indent=_BELOW,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [one.replace("\0", " ") for one in wrapped]


def answer_line(hop: Hop) -> str:
    """Status, reason and Location, or that nothing came."""
    response = hop.response
    if response is None:
        return typer.style("no answer", fg="red", bold=True)
    colour = "cyan" if response.status in REDIRECT_STATUSES else "green"
    status = typer.style(
        _status(response), fg=colour if response.status < _FIRST_FAILURE else "red", bold=True
    )
    return f"{status}{_location(hop, response)}"


def _status(response: Response) -> str:
    return f"{response.status} {shown(response.reason)}".rstrip()


def emitter_line(guesses: Sequence[Guess]) -> str:
    """Who wrote the answer, as far as it can be told; "" when it cannot."""
    if not guesses:
        return ""
    best = guesses[0]
    cause = f" ({best.cause})" if best.cause else ""
    others = list(dict.fromkeys(one.emitter for one in guesses[1:] if one.emitter != best.emitter))[:3]
    if best.confidence == "is":
        return f"by {typer.style(best.emitter, bold=True)}{cause}"
    return f"perhaps by {best.emitter}{cause}" + (f", or {', '.join(others)}" if others else "")


def _hop(judged: Judged, place: int, told: set[int]) -> Iterator[str]:
    """One hop; the meaning of a status in `told` is left out."""
    hop = judged.chain.hops[place]
    request = hop.request
    yield f"{place + 1}  {typer.style(one_line(request.method), bold=True)} {shown(str(request.url))}"
    yield f"{_INDENT}{answer_line(hop)}"
    if hop.response is None:
        return
    status = None if hop.response.status in told else REDIRECT_STATUSES.get(hop.response.status)
    said = (
        emitter_line(judged.guesses[place]),
        _carried(judged.chain, place),
        _expected(hop, hop.response),
        _aside(status.meaning if status else ""),
        _aside(_connection(hop, hop.response)),
    )
    yield from (f"{_INDENT}{line}" for line in said if line)


def _aside(text: str) -> str:
    return typer.style(text, dim=True) if text else ""


def _location(hop: Hop, response: Response) -> str:
    if not response.locations or (response.status not in REDIRECT_STATUSES and hop.location_url is None):
        return _content(response)
    if len(response.locations) > 1:
        return "  Locations: " + ", ".join(map(shown, response.locations[:5]))
    written = response.locations[0]
    resolved = "" if hop.location_url is None else str(hop.location_url)
    if not resolved or resolved == written:
        return f"  Location: {shown(written)}"
    return f"  Location: {shown(written) or '(empty)'}  = {shown(resolved)}"


def _content(response: Response) -> str:
    kind = response.first("content-type")
    size = f"{response.content_length} octets" if response.content_length else "no content"
    cut = f", cut: {response.cut}" if response.cut else ""
    return f"  {size}" + (f" of {shown(kind)}" if kind and response.content_length else "") + cut


def _carried(chain: Chain, place: int) -> str:
    """What became of method, content and credentials; only what there was to keep."""
    kept = carried(chain, place)
    if kept is None:
        return ""
    return ", ".join(part for part in (_method(chain, place, kept), *_rest(kept)) if part)


def _method(chain: Chain, place: int, kept: Carried) -> str:
    if kept.method_kept:
        return f"method {typer.style('kept', fg='green')}"
    before, after = chain.hops[place].request, chain.hops[place + 1].request
    return typer.style(f"{shown(before.method)} became {shown(after.method)}", fg="yellow")


def _rest(kept: Carried) -> Iterator[str]:
    if kept.content == "not-replayable":
        yield typer.style("content cannot be sent again", fg="red")
    elif kept.content != "none":
        yield f"content {typer.style(kept.content, fg=_KEPT_COLOURS[kept.content])}"
    if kept.credentials != "none":
        yield f"credentials {typer.style(kept.credentials, fg=_KEPT_COLOURS[kept.credentials])}"


def _expected(hop: Hop, response: Response) -> str:
    if EXPECT[1] not in (value.lower() for value in hop.request.values("expect")):
        return ""
    early = early_answer(response)
    return f"Expect: {early.means} ({early.sent} octets of content had left)"


def _connection(hop: Hop, response: Response) -> str:
    version = f"HTTP/{response.http_version}" if response.http_version else "no HTTP version"
    remote = f" from {shown(response.remote)}" if response.remote else ""
    return f"{version}{remote}{_timings(response.timings)}{_certificate(response, hop.request.url.hostname)}"


def _timings(timings: Timings) -> str:
    """How long it took, and the instants since it began of the phases that happened."""
    spans = [(word, getattr(timings, name) * 1000) for name, word in _PHASES]
    phases = ", ".join(f"{word} {span:.1f}" for word, span in spans if span >= 0.05)
    if not timings.total:
        return ""
    return f" in {timings.total * 1000:.1f} ms" + (f" ({phases})" if phases else "")


def _certificate(response: Response, hostname: str) -> str:
    certificate = response.certificate
    if certificate is None:
        return ""
    name = next(iter(certificate.names), certificate.subject)
    whose = "" if name == hostname else f" for {shown(name)}"
    return f"; certificate{whose} until {shown(certificate.not_after[:10])}"
