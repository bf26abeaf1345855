"""Which rules a Gateway looks at first, whatever their order: asked of many rules, each in a few look-ups."""

from __future__ import annotations

from collections.abc import Iterator

from detour.core.rule import FieldCondition
from detour.formats.writers.ways import Way

Asks = tuple[int, int, int]
NOTHING: Asks = (0, 0, 0)
Path = tuple[str | None, str | None]  # exact, prefix
_Known = dict[tuple[Path, str], set[tuple[str, Asks]]]  # path and host: the schemes, and what else is asked


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


def hides(scheme: str, asked: Asks, way: Way) -> bool:
    """Whether one that takes all paths of `way`, of this scheme and with these demands, takes all of it."""
    return asked == NOTHING and scheme in ("", way.scheme)


class Order:
    """The ways that were written so far."""

    def __init__(self) -> None:
        self._at: _Known = {}  # by their own host
        self._under: _Known = {}  # by every other host that covers theirs

    def add(self, way: Way) -> None:
        """One more."""
        one = (way.scheme, asks(way))
        self._at.setdefault((_path(way), way.host), set()).add(one)
        for host in above(way.host):
            if host != way.host:
                self._under.setdefault((_path(way), host), set()).add(one)

    def goes_ahead(self, way: Way) -> bool:
        """Whether a Gateway would prefer `way` to one of them, although that answers first here.

        What hides it at a host below its own does not count: the route of that host goes without it.
        """
        same = asks(way)
        for scheme, others in self._met(way, _path(way)):  # of two schemes: which route is older is not known
            if same > others or scheme != way.scheme:
                return True
        own = way.exact if way.exact is not None else way.prefix or ""
        paths = ((None, own[:end]) for end in ends_of(own))
        return any(True for path in paths if path != _path(way) for _ in self._met(way, path))

    def _met(self, way: Way, path: Path) -> Iterator[tuple[str, Asks]]:
        """Those at a path that a request for `way` may be meant for."""
        for host in above(way.host):
            yield from (one for one in self._at.get((path, host), ()) if _shared(one[0], way))
        for scheme, others in self._under.get((path, way.host), ()):
            if _shared(scheme, way) and not hides(scheme, others, way):
                yield scheme, others


def ends_of(path: str) -> Iterator[int]:
    """Where the prefixes of a path end that are of whole segments."""
    return (place + 1 for place, char in enumerate(path) if char == "/")


def _shared(scheme: str, way: Way) -> bool:
    """Whether both may be asked with one scheme."""
    return not (scheme and way.scheme and scheme != way.scheme)


def _path(way: Way) -> Path:
    return way.exact, way.prefix
