"""The requests that reach a place of an nginx configuration, and how a condition narrows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.core.pattern import Pattern
from detour.core.rule import Condition
from detour.core.url import DEFAULT_PORTS
from detour.errors import PatternError, TemplateError
from detour.formats.redirects_file import literal, path_pattern
from detour.formats.regex import Expression, expression, expressions
from detour.formats.regex_render import Renderer
from detour.formats.regex_within import disjoint, within

_ENCODED = Renderer(True, False, frozenset())


def encoded(path: str) -> str:
    """A decoded path as a URL holds it."""
    return "".join(map(_ENCODED.encoded, path))


def mask(written: str) -> str:
    """The pattern of `*.example.com` or `www.*`: what stands for the asterisk is never nothing."""
    return "*" if written == "*" else "(.+)".join(literal(one) for one in written.lower().split("*"))


class Path(msgspec.Struct, frozen=True):
    """Paths that begin with `text`, that are `text` (both decoded), or that `text`, a pattern, matches."""

    kind: Literal["prefix", "exact", "pattern"]
    text: str
    regex: str = ""  # what the pattern comes from
    ignore_case: bool = False
    prefix: str = "/"  # of a pattern: what its paths are known to begin with besides

    @property
    def is_folder(self) -> bool:
        """Whether `regex` is no expression, but the text that a pattern begins with (see `from_the_root`)."""
        return self.kind == "pattern" and "{:folder(" in self.text

    @property
    def pattern(self) -> str:
        if self.kind == "pattern":
            return self.text
        text = path_pattern(literal(encoded(self.text)))
        return text if self.kind == "exact" else f"{text}*"


UNKNOWN = "$"  # the value of a variable that cannot be said
EVERY_PATH = Path("prefix", "/")
_TRIVIAL = re.compile(r"\^?(?:/|\.\*|\(\.\*\)|/\(\.\*\)|\(\.\+\)|/\.\*)?\$?")


class Scope(msgspec.Struct, frozen=True):
    """Requests: scheme, host (a pattern; `name` where it is one name), port, path, query and conditions."""

    scheme: str
    port: str
    host: str = "*"
    name: str = ""
    path: Path = EVERY_PATH
    query: str | None = None
    methods: frozenset[str] | None = None
    when: tuple[Condition, ...] = ()
    uri: str = ""  # after an inner rewrite; "": the request's own path
    kept: bool = True  # whether the request's own query is still there, behind what `uri` has
    errored: bool = False  # whether an `error_page` led here
    known: tuple[tuple[str, str], ...] = ()  # variables and captures, as template text
    texts: tuple[tuple[str, str], ...] = ()  # variables that were set, as written

    @property
    def pattern(self) -> str:
        port = "" if DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        query = "" if self.query is None else f"\\?{self.query}"
        return f"{self.scheme}://{self.host}{port}{self.path.pattern}{query}"

    def is_as(self, other: Scope) -> bool:
        """Whether it is the same requests."""
        return (self.pattern, self.methods, self.when) == (other.pattern, other.methods, other.when)

    def with_known(self, more: dict[str, str]) -> Scope:
        return msgspec.structs.replace(self, known=tuple({**dict(self.known), **more}.items()))

    def with_text(self, name: str, text: str) -> Scope:
        return msgspec.structs.replace(self, texts=tuple({**dict(self.texts), name: text}.items()))

    def with_exact(self, path: str, *, ignore_case: bool = False) -> Scope | None:
        """Narrowed to one path; None where it never is that."""
        if self.uri or self.path.kind != "prefix":
            return next(iter(self.with_path(f"^{re.escape(path)}$", ignore_case=ignore_case)), None)
        known, asked = (self.path.text, path) if not ignore_case else (self.path.text.lower(), path.lower())
        if not asked.startswith(known):
            return None
        return msgspec.structs.replace(self, path=Path("exact", path, ignore_case=ignore_case))

    def with_name(self, name: str) -> Scope | None:
        """Narrowed to one host; None where it never is that."""
        if self.name:
            return self if self.name == name.lower() else None
        if Pattern.parse(f"//{self.host}/").hostname.match(name.lower()) is None:
            return None
        return msgspec.structs.replace(self, host=literal(name.lower()), name=name.lower())

    def with_mask(self, written: str) -> Scope | None:
        """Narrowed to hosts that a mask, `*.example.com` or `www.*`, stands for; `PatternError` as below."""
        pattern = mask(written)
        if self.name:
            held = Pattern.parse(f"//{pattern}/").hostname.match(self.name)
            return None if held is None else self
        if self.host != "*":
            raise PatternError("two masks for one host", "write one")
        return msgspec.structs.replace(self, host=pattern)

    def with_host(self, regex: str) -> Scope | None:
        """Narrowed to hosts that an expression matches; raises `PatternError` for a second one."""
        found = expression(regex, component="hostname", ignore_case=True)
        if self.name:
            held = Pattern.parse(f"//{found.pattern}/").hostname.match(self.name)
            return None if held is None else self.with_known(_texts(found, held))
        if self.host != "*":
            raise PatternError("two expressions for one host", "write one")
        return msgspec.structs.replace(self, host=found.pattern).with_known(_templates(found))

    def with_path(self, regex: str, *, ignore_case: bool = False) -> tuple[Scope, ...]:
        """Narrowed to paths that an expression matches, in as many as it takes; raises `PatternError`."""
        if self.uri or self.path.kind == "exact":
            return self._constant(regex, ignore_case)
        if self.path.kind == "pattern":
            return self._again(regex, ignore_case)
        prefix = self.path.text
        try:
            found = expressions(regex, ignore_case=ignore_case, prefix=prefix)
        except PatternError as error:
            if error.fact == "no path matches this":
                return ()
            raise
        return tuple(
            msgspec.structs.replace(
                self, path=Path("pattern", one.pattern, regex, one.ignore_case, prefix)
            ).with_known(_templates(one))
            for one in found
        )

    def _constant(self, regex: str, ignore_case: bool) -> tuple[Scope, ...]:
        path = encoded(self.uri.partition("?")[0] or self.path.text)
        try:
            found = expressions(regex, ignore_case=ignore_case)
        except PatternError as error:
            if error.fact == "no path matches this":
                return ()
            raise
        for one in found:
            pattern = Pattern.parse(one.pattern, ignore_case=one.ignore_case)
            held = pattern.match_parts("http", "h", "", path, "")
            if held is not None:
                return (self.with_known(_texts(one, held)),)
        return ()

    def _again(self, regex: str, ignore_case: bool) -> tuple[Scope, ...]:
        """A second expression on a path that one has narrowed already: where one implies the other, or where
        no path fits both."""
        path = self.path
        if regex == path.regex and not ignore_case:
            return (self,)
        if _TRIVIAL.fullmatch(regex) and regex not in ("^/$", "/$", "^$", "$"):
            return (self.with_known({"1": "{url.path}"} if "(" in regex else {}),)
        begins = f"^{re.escape(path.prefix)}"
        if not path.is_folder and (
            disjoint(regex, path.regex, ignore_case, path.ignore_case) or disjoint(regex, begins, ignore_case)
        ):
            return ()
        implied = within(regex, path.regex, ignore_case, path.ignore_case) and within(
            regex, begins, ignore_case
        )
        if implied and not path.is_folder and (self.host == "*" or self.name):
            known = tuple(one for one in self.known if not re.search(r"\{p[0-9]", one[1]))
            whole = msgspec.structs.replace(self, path=EVERY_PATH, known=known)
            return whole.with_path(regex, ignore_case=ignore_case)
        if within(path.regex, regex, path.ignore_case, ignore_case) and not path.is_folder:
            return (self.with_known(dict.fromkeys("123456789", UNKNOWN)),)
        raise PatternError(f"`{regex}` and `{path.regex}` on one path", "write one expression that says both")


def _templates(found: Expression) -> dict[str, str]:
    absent = {str(number): None for number in range(1, 10)}
    said = {str(key): text for key, text in found.captures.items()}
    return {key: said.get(key, "") for key in (*absent, *said) if key in said or int(key) > found.count}


def _texts(found: Expression, held: dict[str, str]) -> dict[str, str]:
    """Captures whose text is known, as template text."""
    escaped = {name: text.replace("{", "{{").replace("}", "}}") for name, text in held.items()}
    return {key: text.format(**escaped) for key, text in _templates(found).items()}


def from_the_root(scope: Scope, to: str) -> Iterator[tuple[Scope, str]]:
    """A relative Location as its reader resolves it: in the folder of the path (RFC 3986 §5.2.3)."""
    path = scope.path
    if path.kind == "pattern":
        raise TemplateError(f"the Location `{to}` is relative", "write it from the root: `/…`")
    if path.kind == "prefix":
        pattern = f"{path_pattern(literal(encoded(path.text)))}{{:folder(.*)}}/([^/]*)"
        deeper = msgspec.structs.replace(scope, path=Path("pattern", pattern, path.text))
        yield deeper.with_known({"folder": "{folder}"}), f"{path.text}${{folder}}/{to}"
    yield scope, f"{path.text.rpartition('/')[0]}/{to}"
