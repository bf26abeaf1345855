"""What the `_redirects` dialects share: lines, text as native pattern, text as native template.

A `_redirects` file holds one rule a line, tokens apart by white space, `#` for comments. Netlify
began it; Cloudflare Pages, IPFS gateways and GitLab Pages took it over, each with a grammar and a
way to match of its own (`netlify`, `cloudflare_pages`, `ipfs`). Here stands only what is the same
in all of them; no function here knows a dialect.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import msgspec

from detour.core.rule import ParameterCapture
from detour.core.url import URL, encode_octets
from detour.errors import PatternError, TemplateError, URLError
from detour.formats.draft import LineFault

# What a part of a line is refused with; `PatternError` for `from`, the others for `to`.
PartError = (PatternError, TemplateError, URLError)

# Statuses that answer without redirecting and have no `pass` status of their own: a rewrite or a proxy.
REWRITE = 200

_BYTE_ORDER_MARK = "\ufeff"  # JavaScript's trim() drops it, Python's does not

# What means something in a URL Pattern (https://urlpattern.spec.whatwg.org/#parse-pattern-strings).
_SYNTAX = re.compile(r"[:*(){}?+\\]")

# A `to` that the URL parser returns as it is; most are, and parsing each would double the time to read.
_SERIALIZED = re.compile(r"/(?!/)[A-Za-z0-9_~/.-]*")

_ANY_ORIGIN = "http://any.invalid"  # RFC 2606 §2: stands in for the host of a path


class Line(msgspec.Struct, frozen=True):
    """A line that is neither empty nor a comment: where it stands (from 1), trimmed, and its tokens."""

    number: int
    text: str
    tokens: tuple[str, ...]

    def fault(
        self,
        fact: str,
        remedy: str,
        pattern: str | None = None,
        parameters: tuple[ParameterCapture, ...] = (),
    ) -> LineFault:
        """This line as a fault."""
        return LineFault(self.number, fact, remedy, pattern, parameters)

    def refused(
        self,
        error: PatternError | TemplateError | URLError,
        pattern: str | None = None,
        parameters: tuple[ParameterCapture, ...] = (),
    ) -> LineFault:
        """This line as a fault, for what one of its parts was refused with."""
        return self.fault(error.fact, error.remedy, pattern, parameters)


def lines(text: str) -> Iterator[Line]:
    """Every line of a file that is neither empty nor a comment as a whole."""
    for number, raw in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), start=1):
        trimmed = raw.strip()
        if trimmed and not trimmed.startswith("#"):
            yield Line(number, trimmed, tuple(trimmed.split()))


def without_comment(tokens: tuple[str, ...], first: int = 0) -> tuple[str, ...]:
    """The tokens before the first, from index `first`, that begins with `#`; `to#fragment` is no comment."""
    cut = (place for place, token in enumerate(tokens) if place >= first and token.startswith("#"))
    return tokens[: next(cut, len(tokens))]


def literal(text: str) -> str:
    """`text` as a URL Pattern that matches it and nothing else."""
    return encode_octets(_SYNTAX.sub(r"\\\g<0>", text))


def path_pattern(parts: str) -> str:
    """A pattern of a path for any host; a second slash at its front is escaped: `//` would name a host."""
    return "/\\/" + parts[2:] if parts.startswith("//") else parts


class Captures:
    """What one line captures: `groups` maps a placeholder's name to its group in native syntax.

    A name that comes again gets a group of its own, but the first is the one that counts.
    """

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}
        self._taken: set[str] = set()

    def add(self, name: str) -> str:
        """The group for the placeholder `name`: of the same name where that is an identifier and free."""
        group = re.sub(r"\W", "_", name, flags=re.ASCII)
        if not group or group[0].isdigit() or group == "url":
            group = f"_{group}"
        while group in self._taken:
            group += "_"
        self._taken.add(group)
        self.groups.setdefault(name, group)
        return group

    def add_splat(self) -> None:
        """The one `*` of a pattern: its first unnamed group, called `:splat` by every dialect."""
        self.groups.setdefault("splat", "0")


def names_as_text(names: Collection[str]) -> re.Pattern[str]:
    """Finds `:name` wherever it stands, the longest name first: `:splatter` is `:splat`, then `ter`."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(f":({'|'.join(map(re.escape, longest_first))})" if longest_first else r"(?!)()")


def template(to: str, groups: Mapping[str, str], names: re.Pattern[str]) -> str:
    """`to` in native template syntax; what `names` finds and `groups` holds becomes `{group}`.

    The rest is serialized as WHATWG URL does it. Raises `URLError` when it is no URL.
    """
    if not groups or ":" not in to:
        return _braces_escaped(_serialized(to))
    # Marks that are letters and digits pass the URL parser in every component, hosts included.
    mark = "x" * (_longest_run(to.lower(), "x") + 1)
    order = tuple(groups)
    marked = names.sub(
        lambda found: f"{mark}{order.index(found[1])}{mark}" if found[1] in groups else found[0], to
    )
    text = _braces_escaped(_serialized(marked))
    return re.sub(f"{mark}([0-9]+){mark}", lambda found: f"{{{groups[order[int(found[1])]]}}}", text)


def has_query(to: str) -> bool:
    """Whether `to` carries a query of its own."""
    return "?" in to.partition("#")[0]


def uncaptured(to: str, groups: Collection[str]) -> str:
    """A note on what looks like a placeholder in `to`, but is captured nowhere; "" when all are."""
    found = dict.fromkeys(re.findall(r"(?<=[/=]):([A-Za-z_]\w*)", to, flags=re.ASCII))
    missing = [f":{name}" for name in found if not any(name.startswith(group) for group in groups)]
    if not missing:
        return ""
    return f"nothing captures {' '.join(missing)}: the Location holds it as written"


def _serialized(to: str) -> str:
    if _SERIALIZED.fullmatch(to) and "/." not in to:
        return to
    if to.startswith("//"):
        return str(URL.parse(f"http:{to}")).removeprefix("http:")
    if to.startswith("/"):
        return URL.parse(_ANY_ORIGIN + to).reference
    return str(URL.parse(to))


def serialized_path(path: str) -> str:
    """The path of `path`, as the WHATWG URL parser serializes it; query and fragment are dropped."""
    return URL.parse(_ANY_ORIGIN + path).path


def _braces_escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _longest_run(text: str, letter: str) -> int:
    return max((len(run) for run in re.findall(f"{letter}+", text)), default=0)
