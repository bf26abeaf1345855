"""Patterns: the side of a rule that a target URI is matched with.

The syntax is WHATWG URL Pattern (https://urlpattern.spec.whatwg.org/) for scheme, hostname, port,
path and query, in one string: `https://*.example.com/users/:id?tab=*`. Detour's own rules on top:

- `/…` has any scheme, host and port; `//host/…` any scheme; anything else is written whole.
- A host without a port means the scheme's default port. A query that is not written may be anything.
- A query begins at the first `?` that does not directly follow a group or braces (URL Pattern,
  "is a search prefix"), or at a `\\?` anywhere. Directly after `:name`, `*` or `(regex)` a bare `?` is
  refused: the standard would silently make the group optional, and the query part of the path.
- Unnamed groups are numbered over the whole pattern, as written. Names are unique over the whole
  pattern. What is not written is not captured.
- Fixed text is normalized as requests are: `/caf%c3%a9`, `/café` and `/caf%C3%A9` are one pattern.
- No fragment, no user information: neither reaches a server.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from detour.core.message import Request
from detour.core.pattern_component import IMPLIED, Component
from detour.core.pattern_matcher import Matcher
from detour.core.pattern_string import split_pattern
from detour.core.pattern_syntax import COMPONENTS, ComponentName, GroupNames
from detour.core.url import DEFAULT_PORTS
from detour.errors import PatternError

MAX_LENGTH = 4096  # characters of a pattern


class Group(msgspec.Struct, frozen=True):
    """A group that a pattern captures, by its name ("0", "1", … when it has none), and where it stands."""

    name: str
    component: ComponentName


class Pattern(msgspec.Struct, frozen=True, eq=False):
    """A parsed pattern. Two are equal when their text and `ignore_case` are.

    `scheme`, `hostname`, `port`, `path` and `query` hold the parts, from which an index can be made.
    `ignore_case` concerns path and query; scheme and host never mind it.
    """

    text: str
    ignore_case: bool
    groups: tuple[Group, ...]
    scheme: Component
    hostname: Component
    port: Component
    path: Component
    query: Component
    # What is looked at, by place in COMPONENTS: fixed texts first, they are cheapest.
    _literals: tuple[tuple[int, str], ...]
    _matchers: tuple[tuple[int, Matcher], ...]

    @classmethod
    def parse(cls, text: str, *, ignore_case: bool = False) -> Pattern:
        """Parse a pattern as a rule's author writes it; raises `PatternError`."""
        _check_text(text)
        written = split_pattern(text)
        names = GroupNames()
        components = {
            name: Component.compile(
                name, written[name], names, ignore_case=ignore_case and name in ("path", "query")
            )
            if name in written
            else IMPLIED[name]
            for name in COMPONENTS
        }
        _check_scheme(components["scheme"])
        components["port"] = _settled_port(components["scheme"], components["port"])
        return cls._of(text, ignore_case, components)

    @classmethod
    def _of(cls, text: str, ignore_case: bool, components: dict[ComponentName, Component]) -> Pattern:
        seen = [(index, one) for index, one in enumerate(components.values()) if not one.implied]
        return cls(
            text=text,
            ignore_case=ignore_case,
            groups=tuple(Group(name, one.name) for _, one in seen for name in one.groups),
            **components,
            _literals=tuple(
                (index, one.literal) for index, one in seen if one.literal is not None and not one.ignore_case
            ),
            _matchers=tuple(
                (index, one.matcher) for index, one in seen if one.literal is None or one.ignore_case
            ),
        )

    def match(self, request: Request) -> dict[str, str] | None:
        """Captures by name when the target URI matches, else None; a group that took no part is "".

        Unnamed groups are called "0", "1", … as written.
        """
        return self.match_parts(request.scheme, request.hostname, request.port, request.path, request.query)

    def match_parts(
        self, scheme: str, hostname: str, port: str, path: str, query: str
    ) -> dict[str, str] | None:
        """As `match`, over the components of a normalized URL: port "" for the default, query without `?`."""
        values = (scheme, hostname, port, path, query)
        for index, literal in self._literals:
            if values[index] != literal:
                return None
        captures: dict[str, str] = {}
        for index, matcher in self._matchers:
            found = matcher.match(values[index])
            if found is None:
                return None
            captures |= found
        return captures

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return self.text == other.text and self.ignore_case == other.ignore_case

    def __ne__(self, other: object) -> bool:  # msgspec's own would compare identity
        return not self == other

    def __hash__(self) -> int:
        return hash((self.text, self.ignore_case))

    def __reduce__(self) -> tuple[Callable[[str, bool], Pattern], tuple[str, bool]]:
        return _reparse, (self.text, self.ignore_case)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r}{', ignore_case=True' if self.ignore_case else ''})"


def _reparse(text: str, ignore_case: bool) -> Pattern:
    return Pattern.parse(text, ignore_case=ignore_case)


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise PatternError(f"a pattern of {len(text)} characters", f"write at most {MAX_LENGTH}")
    control = re.search(r"[\x00-\x1f\x7f]", text)
    if control:
        raise PatternError(f"a control character, {control[0]!r}", f"write %{ord(control[0]):02X}")


def _check_scheme(scheme: Component) -> None:
    if all(scheme.match(name) is None for name in DEFAULT_PORTS):
        raise PatternError("no request has this scheme", "write http, https, `http{s}?` or `*`")


def _settled_port(scheme: Component, port: Component) -> Component:
    """The port with a scheme's default left out, as in a serialized URL; raises `PatternError`.

    A literal port that is the default of a scheme which is only one of several would silently never
    match that scheme: the URL parser takes the port out of the request.
    """
    if not port.literal:
        return port
    if scheme.literal and DEFAULT_PORTS.get(scheme.literal) == port.literal:
        return Component.of("port", ())
    for name, default in DEFAULT_PORTS.items():
        if port.literal == default and scheme.match(name) is not None:
            raise PatternError(
                f"port {default} is the default of {name}, one of several schemes here",
                f"write {name}:// before the host, or leave the port out",
            )
    return port
