"""Which rules a Gateway looks at first, whatever their order: asked of many rules, each in a few look-ups."""

from __future__ import annotations

from collections.abc import Iterator

from detour.core.rule import FieldCondition
from detour.formats.writers.ways import Way

Asks = tuple[int, int, int]
_Path = tuple[str | None, str | None]  # exact, prefix
_Known = dict[tuple[_Path, str], set[tuple[str, Asks]]]  # path and host: the schemes, and what else is asked


def covers(host: str, other: str) -> bool:
    """Whether `host` includes `other`: is any, the same, or a wildcard above it."""
    return host in ("", other) or (host.startswith("*") and other.endswith(host[1:]))


def above(host: str) -> tuple[str, ...]:
    """Every host that covers `host`, itself too."""
    dots = (place for place, char in enumerate(host) if char == ".")
    return tuple(dict.fromkeys(("", host, *(f"*{host[place:]}" for place in dots))))


def asks(way: Way) -> Asks:
    """What a Gateway goes by where paths are alike: a method, then more headers, then more parameters."""
    of = [one.of for one in way.rule.terms.when if isinstance(one, FieldCondition)]
    return int(way.rule.terms.methods is not None), of.count("header"), of.count("query")


class Order:
    """The ways that were written so far."""

    def __init__(self) -> None:
        self._at: _Known = {}  # by their own host
        self._under: _Known = {}  # by every host that covers theirs

    def add(self, way: Way) -> None:
        """One more."""
        one = (way.scheme, asks(way))
        self._at.setdefault((_path(way), way.host), set()).add(one)
        for host in above(way.host):
            self._under.setdefault((_path(way), host), set()).add(one)

    def goes_ahead(self, way: Way) -> bool:
        """Whether a Gateway would prefer `way` to one of them, although that answers first here."""
        same = asks(way)
        for scheme, others in self._met(way, _path(way)):  # of two schemes: which route is older is not known
            if same > others or scheme != way.scheme:
                return True
        own = way.exact if way.exact is not None else way.prefix or ""
        ends = (place + 1 for place, char in enumerate(own) if char == "/")
        paths = ((None, own[:end]) for end in ends)
        return any(True for path in paths if path != _path(way) for _ in self._met(way, path))

    def _met(self, way: Way, path: _Path) -> Iterator[tuple[str, Asks]]:
        """Those at a path that a request for `way` may be meant for."""
        places = [(self._at, host) for host in above(way.host)] + [(self._under, way.host)]
        for known, host in places:
            for scheme, others in known.get((path, host), ()):
                if not (scheme and way.scheme and scheme != way.scheme):
                    yield scheme, others


def _path(way: Way) -> _Path:
    return way.exact, way.prefix
