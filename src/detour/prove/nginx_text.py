"""An nginx configuration as text, with its doors on free ports of loopback: nothing else of it is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

_TOKEN = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[;{}]|(?:\\.|\$\{|[^\s;{}\\])+|\s+|\\""", re.DOTALL
)
# What stands in `http` alone, where a part of a configuration has also what stands in a server.
_OF_HTTP = frozenset(
    ("geo", "log_format", "map", "server", "split_clients", "types", "upstream", "limit_req_zone")
)
_OF_SERVER = frozenset(("break", "error_page", "if", "location", "return", "rewrite", "set"))
_DROPPED = re.compile(r"ipv6only=|proxy_protocol$|reuseport$|bind$|fastopen=|backlog=")


class Statement(msgspec.Struct, frozen=True):
    """A directive: its words, where it begins and ends (`;`, `{` and `}` are within), how deep it stands."""

    words: tuple[str, ...]
    start: int
    end: int
    depth: int
    opens: bool = False
    inside: int = 0  # where what stands in its braces begins


def statements(text: str) -> list[Statement]:
    """Every directive in the order in which they begin; quotes and comments are known."""
    found: list[Statement] = []
    waiting: list[int] = []  # the places in `found` of open blocks
    words: list[str] = []
    start = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark.isspace() or (mark.startswith("#") and not words):
            continue
        if mark.startswith("#"):
            continue
        if mark not in ("{", "}", ";"):
            start = start if words else token.start()
            words.append(mark.strip("\"'"))
            continue
        if mark == "}":
            if waiting:
                place = waiting.pop()
                found[place] = msgspec.structs.replace(found[place], end=token.end())
        else:
            opens = mark == "{"
            begins = start if words else token.start()
            found.append(Statement(tuple(words), begins, token.end(), len(waiting), opens, token.end()))
            if opens:
                waiting.append(len(found) - 1)
        words = []
    return [one for one in found if one.words]


def http_block(text: str) -> str:
    """What stands in the `http` block of a whole configuration. Of a part of one: what belongs into a server
    gets one, as the reader does it."""
    top = [one for one in statements(text) if one.depth == 0]
    block = next((one for one in top if one.words == ("http",) and one.opens), None)
    if block is not None:
        return text[block.inside : block.end - 1]
    if not any(one.words[0] in _OF_SERVER for one in top):
        return text
    outer = [text[one.start : one.end] for one in top if one.words[0] in _OF_HTTP]
    inner = [text[one.start : one.end] for one in top if one.words[0] not in _OF_HTTP]
    return "\n".join((*outer, "server {", *inner, "}"))


def moved(text: str, ports: Callable[[int], int]) -> str:
    """Each `listen` on loopback and a free port; a server without one listens as on port 80."""
    for start, end, new in sorted(_edits(text, ports), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _edits(text: str, ports: Callable[[int], int]) -> Iterator[tuple[int, int, str]]:
    found = statements(text)
    for server in (one for one in found if one.words == ("server",) and one.opens):
        listens = [
            one
            for one in found
            if one.words[0] == "listen"
            and server.start < one.start < server.end
            and one.depth == server.depth + 1
        ]
        known: set[int] = set()
        for one in listens:
            port = _port(one.words[1] if len(one.words) > 1 else "80")
            new = ""
            if port is not None and port not in known:
                flags = " ".join(word for word in one.words[2:] if not _DROPPED.match(word))
                new = f"listen 127.0.0.1:{ports(port)} {flags};"
                known.add(port)
            yield one.start, one.end, new
        if not listens:
            yield server.inside, server.inside, f" listen 127.0.0.1:{ports(80)};"


def _port(address: str) -> int | None:
    if address.startswith("unix:"):
        return None
    port = address.rpartition(":")[2] if not address.endswith("]") else ""
    return int(port) if port.isdecimal() and int(port) < 65536 else 80
