"""mod_alias: Redirect and its kin (httpd.apache.org/docs/2.4/mod/mod_alias.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.apache.context import Context, Outcome, segments
from detour.formats.apache.syntax import Directive
from detour.formats.demand import Demand, Text
from detour.formats.numbers import whole
from detour.formats.regex import expressions

DEFAULT_STATUS = 302
STATUS_WORDS = {"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}
_FIXED = {"redirectpermanent": 301, "redirecttemp": 302}

NAMES = ("redirect", "redirectmatch", *_FIXED)


def redirects(directives: list[Directive], context: Context) -> Iterator[Outcome]:
    """Each directive of mod_alias that redirects, in order: the first that matches answers."""
    for directive in directives:
        if directive.name in NAMES:
            yield from context.guarded(directive, _read(directive, context))


def may_answer(path: str, directive: Directive) -> bool:
    """Whether a directive answers a path, or may."""
    if directive.name not in NAMES:
        return False
    if directive.name != "redirectmatch":
        return any(one == "/" or f"{path}/".startswith(f"{one.rstrip('/')}/") for one in directive.args[:2])
    return any(searched(one, path) for one in directive.args[:2])


def searched(regex: str, path: str) -> bool:
    """Whether an expression of PCRE finds something, or may."""
    try:
        return re.search(regex.replace("(?<", "(?P<"), path, re.IGNORECASE) is not None
    except re.error:
        return True


def _read(directive: Directive, context: Context) -> Iterator[Outcome]:
    status, args = _status(directive)
    if directive.name == "redirectmatch":
        if not args:
            raise PatternError("no expression", "write `RedirectMatch [status] regex URL`")
        yield from _match(directive, context, status, args[0], args[1] if len(args) > 1 else "")
    elif context.in_location and len(args) <= (status in REDIRECT_STATUSES):
        yield from _whole(directive, context, status, args)
    else:
        yield from _path(directive, context, status, args)


def _status(directive: Directive) -> tuple[int, tuple[str, ...]]:
    args = directive.args
    if directive.name in _FIXED:
        return _FIXED[directive.name], args
    first = args[0].lower() if args else ""
    if first in STATUS_WORDS:
        return STATUS_WORDS[first], args[1:]
    if first.isdecimal():
        status = whole(first)
        if 300 <= status < 400 and status not in REDIRECT_STATUSES:
            raise TemplateError(f"{status} is not a redirect status", "use 301, 302, 303, 307 or 308")
        return status, args[1:]
    return DEFAULT_STATUS, args


def _path(directive: Directive, context: Context, status: int, args: tuple[str, ...]) -> Iterator[Outcome]:
    if not args or not args[0].startswith("/"):
        raise PatternError("no path that begins with a slash", "write `Redirect [status] /path URL`")
    path, to = args[0], args[1] if len(args) > 1 else ""
    if status not in REDIRECT_STATUSES:
        for text in segments(path):
            yield from context.passes(directive, Demand(path=text), status)
        return
    _check_target(to)
    if path.endswith("/"):
        if re.fullmatch(r"https?://[^/?#]+", to):
            raise TemplateError(
                f"what follows {path} is appended to the host of {to}", f"end the URL with a slash: `{to}/`"
            )
        yield from context.drafts(
            directive, Demand(path=Text("prefix", path)), _appended(to, "{rest}"), status
        )
        return
    yield from context.drafts(directive, Demand(path=Text("exact", path)), _appended(to, ""), status)
    yield from context.drafts(
        directive, Demand(path=Text("prefix", f"{path}/")), _appended(to, "/{rest}"), status
    )


def _check_target(to: str) -> None:
    if not to.startswith(("/", "http://", "https://")):
        raise TemplateError(f"{to!r} is neither a path nor an http URL", "write a path, or a whole URL")


def _appended(to: str, rest: str) -> str:
    """The target with what followed the path: it comes before a query or a fragment of the target's own
    only if there is none; Apache appends it to the whole text."""
    return to.replace("{", "{{").replace("}", "}}") + rest


def _whole(directive: Directive, context: Context, status: int, args: tuple[str, ...]) -> Iterator[Outcome]:
    """In a Location, without a path: all of it goes to one URL."""
    if status not in REDIRECT_STATUSES:
        yield from context.passes(directive, Demand(), status)
        return
    if not args:
        raise TemplateError("the redirect names no target", "write `Redirect [status] URL`")
    _check_target(args[0])
    yield from context.drafts(directive, Demand(), _expanded(args[0], context), status)


def _expanded(to: str, context: Context) -> str:
    """The target of a <LocationMatch> with what its expression captured: `%{env:MATCH_NAME}` (core.html)."""

    def captured(found: re.Match[str]) -> str:
        named = (
            {}
            if context.regex is None
            else {str(key).upper(): text for key, text in context.regex.captures.items()}
        )
        text = named.get(found[1].upper())
        if text is None:
            raise TemplateError(f"the URL {to!r} is an expression", "write it out, or use RedirectMatch")
        return text

    parts = re.split(r"(%\{[^}]*\})", to)
    return "".join(
        re.sub(r"%\{(?:env:)?(?:MATCH_)?([^}]*)\}", captured, part)
        if part.startswith("%{")
        else _appended(part, "")
        for part in parts
    )


def _match(directive: Directive, context: Context, status: int, regex: str, to: str) -> Iterator[Outcome]:
    used = {int(number) for number in re.findall(r"(?<!\\)\$([0-9])", to)} - {0}
    found = expressions(regex, used=used)
    for one in found:
        if status not in REDIRECT_STATUSES:
            yield from context.passes(directive, Demand(), status, one.pattern, one.ignore_case)
            continue
        template = substituted(to, one.captures, one.count)
        _check_target(to)
        yield from context.drafts(directive, Demand(), template, status, one.pattern, one.ignore_case)


def substituted(to: str, captures: object, count: int) -> str:
    """A target with `$1` replaced by what stands for it in a template."""
    assert hasattr(captures, "get")

    def replace(found: re.Match[str]) -> str:
        if found[1]:
            return found[1].replace("{", "{{").replace("}", "}}")
        number = whole(found[2])
        if number == 0:
            return "{url.path}"
        value = captures.get(number)
        if value is None and number <= count:
            raise TemplateError(
                f"${number} cannot be had of this expression", "write it without nested groups"
            )
        return value or ""

    escaped = re.sub(r"[{}]", lambda brace: brace[0] * 2, to)
    return re.sub(r"\\([$&\\])|[$]([0-9])", replace, escaped)
