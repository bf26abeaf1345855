"""A request held against the first one: what became of its method, its content, its content fields."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

import msgspec

from detour.lab.case import Arrival, Case, Content
from detour.lab.contents import FORM, MULTIPART, octets
from detour.lab.verdict import Difference

_AROUND = 12  # octets either side of a difference

CONTENT_FIELDS = ("Content-Type", "Content-Encoding", "Content-Language", "Content-Location")
FRAMING_FIELDS = ("Content-Length", "Transfer-Encoding")


class FormFound(msgspec.Struct, frozen=True):
    """One thing that can have become of a request."""

    words: str
    verdict: str = ""  # what it is worth wherever it stands; none: depends on what is allowed there


# The first that applies, in this order, as `form` asks.
FORMS: dict[str, FormFound] = {
    "kept": FormFound("method and content are those of the first request"),
    "rewritten": FormFound("GET without content"),
    "method-case": FormFound("the case of the method changed", "misrewritten"),
    "method": FormFound("another method", "misrewritten"),
    "content-left": FormFound(
        "the method became GET, and content or the promise of it went along", "misrewritten"
    ),
    "broken-off": FormFound("begun and not finished"),
    "missing": FormFound("the method is kept, the content is gone", "lost"),
    "short": FormFound("the method is kept, the end of the content is gone", "lost"),
    "tail": FormFound("the method is kept, the beginning of the content is gone", "lost"),
    "doubled": FormFound("the content came twice over", "altered"),
    "changed": FormFound("the content changed", "altered"),
    "content-fields": FormFound("the content fields changed", "altered"),
}


class Original(msgspec.Struct, frozen=True):
    """The first request, as everything after it is held against it."""

    method: str
    content: bytes
    fields: tuple[tuple[str, str], ...]  # its content fields, names in lower case


_BOUNDARY = re.compile(r"""boundary=(?:"([^"]+)"|([^\s;"]+))""", re.IGNORECASE)


def boundary_of(arrival: Arrival) -> str:
    """The boundary of multipart content; empty if there is none."""
    found = _BOUNDARY.search(" ".join(arrival.values("Content-Type")))
    return (found[1] or found[2]) if found else ""


def _content(arrival: Arrival) -> bytes:
    """The content; of multipart with one boundary for all, since a client may encode it again."""
    boundary = boundary_of(arrival).encode("latin-1", "replace")
    return arrival.content.replace(b"--" + boundary, b"--\x00") if boundary else arrival.content


def _content_fields(arrival: Arrival) -> tuple[tuple[str, str], ...]:
    found = ((name.lower(), value) for name in CONTENT_FIELDS for value in arrival.values(name))
    return tuple((name, _BOUNDARY.sub("boundary", value)) for name, value in found)


def original(case: Case, first: Arrival) -> Original:
    """What later requests must equal: the content as first sent, or as asked where that was broken off."""
    content = octets(case.asked.content) if _broken_off(case, first) else _content(first)
    return Original(case.asked.method, content, _content_fields(first))


def form(arrival: Arrival, first: Original) -> str:
    """What became of the first request: a name of `FORMS`."""
    method, content = arrival.method, _content(arrival)
    if method != first.method:
        return _other_method(arrival, first.method)
    if not arrival.complete:
        return "broken-off"
    if content == first.content:
        same = not content or _content_fields(arrival) == first.fields
        return "kept" if same else "content-fields"
    if not content:
        return "missing"
    if first.content.startswith(content):
        return "short"
    if first.content.endswith(content):
        return "tail"
    return "doubled" if first.content and content == first.content * 2 else "changed"


def _other_method(arrival: Arrival, method: str) -> str:
    if arrival.method.upper() == method.upper():
        return "method-case"
    if arrival.method != "GET":
        return "method"
    if arrival.content or not arrival.complete:  # framing that speaks of content promises it
        return "content-left"
    return "rewritten"


def is_bare(arrival: Arrival) -> bool:
    """GET without content, complete."""
    return arrival.method == "GET" and arrival.complete and not arrival.content


def difference(first: Original, arrival: Arrival) -> Difference | None:
    """Where the content first differs; None where it does not."""
    expected, arrived = first.content, _content(arrival)
    if expected == arrived:
        return None
    at = _first_difference(expected, arrived)
    around = slice(max(0, at - _AROUND), at + _AROUND)
    shown = expected[around].decode("latin-1"), arrived[around].decode("latin-1")
    return Difference(at, shown[0], shown[1], len(expected), len(arrived))


def _first_difference(one: bytes, other: bytes) -> int:
    """The offset at which they part, found by halves."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        same = one[low:middle] == other[low:middle]
        low, high = (middle, high) if same else (low, middle)
    return low


def not_as_asked(case: Case, first: Arrival) -> str:
    """Why the first request is not the one that was asked for; empty if it is."""
    if first.method != case.asked.method:
        return f"the first request had the method {first.method}"
    if first.station != 0 or first.origin != case.asked.origin:
        return "the first request went elsewhere"
    if _sent(case, first):
        return ""
    return f"the first request had other content ({len(first.content)} octets)"


def _broken_off(case: Case, first: Arrival) -> bool:
    """By an answer that came early, or by the client."""
    return not first.complete or (case.script[0].early and not first.content)


def _sent(case: Case, first: Arrival) -> bool:
    content = case.asked.content
    if _broken_off(case, first):
        return content.kind in _OWN_ENCODER or octets(content).startswith(first.content)
    return first.content == octets(content) or _means(content, first.content)


_OWN_ENCODER = ("form", "json", "multipart")


def _means(content: Content, sent: bytes) -> bool:
    """Whether it says what was asked, whichever encoder wrote it."""
    match content.kind:
        case "form":
            pairs = parse_qsl(sent.decode("utf-8", "replace"), keep_blank_values=True)
            return sorted(pairs) == sorted(FORM)  # Go's own encoder sorts them
        case "json":
            return _parsed(sent) == _parsed(octets(content))
        case "multipart":
            return all(part.octets in sent for part in MULTIPART)
        case _:
            return False


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
