"""mod_rewrite: RewriteRule and RewriteCond (httpd.apache.org/docs/2.4/mod/mod_rewrite.html)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator
from itertools import product
from typing import Literal

import msgspec

from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.apache.alias import STATUS_WORDS, searched
from detour.formats.apache.conditions import Cond
from detour.formats.apache.context import Context, Outcome, Refused
from detour.formats.apache.syntax import Directive
from detour.formats.demand import ANY, Asked, Demand, Text, ask, both, of_regex
from detour.formats.draft import Draft, LineFault
from detour.formats.numbers import whole

_EVERY = re.compile(r"(?:\^?/?\(?\.[*+]\)?\$?|\^|)")
_TOKEN = re.compile(r"\\(.)|\$([0-9])|%([0-9])|%\{([^}]+)\}|[{}]")
_VARIABLES = {
    "HTTP_HOST": "{url.hostname}", "SERVER_NAME": "{url.hostname}", "REQUEST_URI": "{url.path}",
    "QUERY_STRING": "{url.query}", "HTTP:HOST": "{url.hostname}", "REQUEST_SCHEME": "{url.scheme}",
    "SERVER_PORT": "{url.port}",
}  # fmt: skip


Answers = Callable[[str], bool]


class Written(msgspec.Struct, frozen=True):
    """A RewriteRule and the conditions in front of it."""

    directive: Directive
    conds: tuple[Directive, ...]
    flags: dict[str, str]

    @property
    def pattern(self) -> str:
        return self.directive.args[0] if self.directive.args else ""

    @property
    def to(self) -> str:
        return self.directive.args[1] if len(self.directive.args) > 1 else "-"

    @property
    def status(self) -> int | None:
        """Of the redirect that it is; None where it is none."""
        value = self.flags.get("R")
        if value is None:
            return 302 if re.match(r"https?://", self.to) and "P" not in self.flags else None
        if not value:
            return 302
        return STATUS_WORDS.get(value.lower(), whole(value) if value.isdecimal() else 0)

    @property
    def answers(self) -> bool:
        """Whether it ends all, so that mod_alias is not asked."""
        return bool(self.flags.keys() & {"P", "F", "G"})

    @property
    def ends(self) -> bool:
        return bool(self.flags.keys() & {"L", "END", "PT", "P", "F", "G", "H"})


_LONG = {
    "REDIRECT": "R", "LAST": "L", "FORBIDDEN": "F", "GONE": "G", "NOCASE": "NC", "QSAPPEND": "QSA",
    "QSDISCARD": "QSD", "NOESCAPE": "NE", "PASSTHROUGH": "PT", "PROXY": "P", "SKIP": "S", "CHAIN": "C",
    "NEXT": "N", "NOSUBREQ": "NS",
}  # fmt: skip


def rules(directives: list[Directive]) -> tuple[list[Written], str]:
    """The rules of one context where the engine is on, and its base."""
    found: list[Written] = []
    conds: list[Directive] = []
    on, base = False, ""
    for one in directives:
        if one.name == "rewriteengine":
            on = bool(one.args) and one.args[0].lower() == "on"
        elif one.name == "rewritebase" and one.args:
            base = one.args[0].rstrip("/") + "/"
        elif one.name == "rewritecond" and one.args:
            conds.append(one)
        elif one.name == "rewriterule":
            found.append(Written(one, tuple(conds), _flags(one)))
            conds = []
    return (found if on else []), base


def _flags(directive: Directive) -> dict[str, str]:
    text = "".join(directive.args[2:]).strip().strip("[]")
    pairs = (flag.strip().partition("=") for flag in text.split(",") if flag.strip())
    return {_LONG.get(name.upper(), name.upper()): value for name, _, value in pairs}


def rewrites(
    found: list[Written], base: str, context: Context, followed: bool = False, behind: Answers | None = None
) -> Iterator[Outcome]:
    """What the rules answer, in order; `followed`: whether mod_alias has redirects behind them, `behind`:
    whether one of those may answer a path."""
    changed = skipping = 0  # the line that changes the path, and goes on; how many rules may be skipped
    chained = False
    for place, rule in enumerate(found):
        later = any(one.status for one in found[place + 1 :])
        relevant = rule.status is not None or (later and rule.ends) or (followed and rule.answers)
        why = ""
        if changed:
            why = f"line {changed} changes the path before"
        elif skipping or chained or "C" in rule.flags or "N" in rule.flags:
            why = "whether the rule is asked depends on another (S, C, N)"
        if rule.status is not None and why:
            yield context.fault(rule.directive, why, "write the redirect in front, on its own")
        elif rule.status is not None:
            yield from context.guarded(rule.directive, _Rule(rule, base, context).outcomes())
        elif relevant and not changed:
            yield from _hiding(_Rule(rule, base, context), why)
        skipping = whole(rule.flags["S"]) if rule.flags.get("S", "").isdecimal() else max(0, skipping - 1)
        chained = "C" in rule.flags
        if rule.to != "-" and not rule.ends and rule.status is None and not changed:
            later = later or followed
            if later and not (yield from _changing(_Rule(rule, base, context), found[place + 1 :], behind)):
                changed = rule.directive.line


def _changing(rule: _Rule, later: list[Written], behind: Answers | None) -> Generator[Outcome, None, bool]:
    """A rule that changes the path and goes on: what it matches is in doubt, or answered by nothing that is
    behind it. Whether what it matches could be said."""
    path = rule.rule.to.partition("?")[0]
    fixed = re.fullmatch(r"/[^$%\\]*[^$%\\/]", path) is not None and not rule.context.folder
    if fixed and behind is not None and not behind(path) and not any(_may(one, path) for one in later):
        with contextlib.suppress(*Refused):
            yield from list(rule.outcomes())
            return True
    fact = "it changes the path, and the redirects behind it see the new one"
    doubts = list(rule.doubted(fact, "end the rule with [L], or put the redirects in front"))
    if any(one.pattern is None for one in doubts):
        return False
    yield from doubts
    return True


def hands_on(rule: Written) -> bool:
    """Whether it hands every request on to mod_proxy."""
    return "P" in rule.flags and not rule.conds and _EVERY.fullmatch(rule.pattern) is not None


def _may(rule: Written, path: str) -> bool:
    """Whether a rule redirects a path, or may."""
    return rule.status is not None and (rule.pattern.startswith("!") or searched(rule.pattern, path))


def _hiding(rule: _Rule, why: str) -> Iterator[Outcome]:
    """What answers without redirecting, and so hides what stands behind it; where its conditions are not
    understood, all that its expression matches is in doubt."""
    try:
        if why:
            raise PatternError(why, "write the redirects behind it in front")
        yield from list(rule.outcomes())
    except Refused as error:
        fact = f"whether it hides the redirects behind it: {error.fact}"
        yield from rule.doubted(fact, error.remedy)


class _Rule:
    def __init__(self, rule: Written, base: str, context: Context) -> None:
        self.rule, self.base, self.context = rule, base, context
        self.folder = context.folder
        self.note = ""
        self.used = {int(number) for number in re.findall(r"(?<!\\)\$([1-9])", rule.to)}
        self.cond_used = {int(number) for number in re.findall(r"(?<!\\)%([1-9])", rule.to)}

    def outcomes(self) -> Iterator[Outcome]:
        status = self.rule.status
        for demand in self._demands():
            if status is not None and status not in REDIRECT_STATUSES:
                raise TemplateError(f"the status {self.rule.flags.get('R')}", "use 301, 302, 303, 307 or 308")
            yield from self._drafts(demand, status)

    def doubted(self, fact: str, remedy: str) -> Iterator[LineFault]:
        """The fault that the rule is, with all that its expression alone may match."""
        fault = self.context.fault(self.rule.directive, fact, remedy)
        try:
            choices = product(self._pattern(), self.context.demands)
            demands = [demand for one, own in choices if (demand := both(one, own)) is not None]
            asked = [(demand, found) for demand in demands for found in ask(demand)]
        except Refused:
            yield fault
            return
        for demand, found in asked:
            yield msgspec.structs.replace(
                fault,
                pattern=found.pattern,
                ignore_case=found.ignore_case,
                methods=demand.methods,
                when=demand.when,
                unless=demand.unless,
            )

    def _demands(self) -> Iterator[Demand]:
        """Each way in which pattern and conditions can hold."""
        for choice in product(self._pattern(), self._conditions(), self.context.demands):
            demand: Demand | None = ANY
            for one in choice:
                demand = None if demand is None else both(demand, one)
            if demand is not None:
                yield demand

    def _pattern(self) -> tuple[Demand, ...]:
        pattern = self.rule.pattern
        if pattern.startswith("!"):
            raise PatternError("all that an expression does not match", "turn the rule around")
        self.every = bool(_EVERY.fullmatch(pattern))
        if self.every:
            self.slashed = not self.folder and not pattern.lstrip("^").startswith("/")
            deep = self.folder not in ("", "/")
            return (Demand(path=Text("prefix", self.folder)),) if deep else (ANY,)
        if self.folder not in ("", "/"):
            if not pattern.startswith("^"):
                raise PatternError(f"{pattern!r} may match anywhere below {self.folder}", "begin it with `^`")
            pattern = "^" + re.escape(self.folder) + pattern[1:]
        if self.used:
            return (Demand(path=self._regex(pattern)),)
        texts = of_regex_below(pattern, "NC" in self.rule.flags, self.folder == "/")
        return tuple(Demand(path=text) for text in texts)

    def _regex(self, pattern: str) -> Text:
        return Text("regex", pattern, "NC" in self.rule.flags, slash=self.folder != "/")

    def _conditions(self) -> list[Demand]:
        groups: list[list[Cond]] = [[]]
        for place, directive in enumerate(self.rule.conds):
            last = place == len(self.rule.conds) - 1
            cond = Cond(directive, bool(self.cond_used) and last)
            self.note = self.note or cond.note
            groups[-1].append(cond)
            if not cond.either:
                groups.append([])
        found = [ANY]
        for group in filter(None, groups):
            choices = [demand for cond in group for demand in cond.demands]
            joined = (both(one, choice) for one in found for choice in choices)
            found = [one for one in joined if one is not None]
        return found

    def _drafts(self, demand: Demand, status: int | None) -> Iterator[Draft]:
        of_path = demand.host is None or demand.host.kind != "regex"
        used = self.used or (self.cond_used if of_path and self.every else set())
        for asked in ask(demand, used, self.cond_used):
            if status is None:
                known = 410 if "G" in self.rule.flags else None
                yield self.context.draft(self.rule.directive, demand, asked, None, known, "keep", self.note)
                continue
            location, query = self._location(asked)
            yield self.context.draft(self.rule.directive, demand, asked, location, status, query, self.note)

    def _location(self, asked: Asked) -> tuple[str, Literal["keep", "drop"]]:
        to = self.rule.to
        if to == "-":
            return "/{url.path}", "keep"
        if "${" in to:
            raise TemplateError(f"the target {to!r} asks a map", "write a rule for each of its rows")
        if not re.match(r"https?://|/|%\{|\$", to):
            if self.folder and not self.base:
                raise TemplateError(
                    f"{to!r} is relative and there is no RewriteBase: Apache sends a path of its file system",
                    f"write `/{to}`, or a RewriteBase",
                )
            to = (self.base or "/") + to
        text = _TOKEN.sub(lambda found: self._token(found, asked), to)
        text = text.replace("/\0", "\0").replace("\0", "{url.path}")
        text = f"/{text}" if text.startswith("{url.path}") else text
        if not text.startswith(("/", "http://", "https://", "{url.scheme}")):
            text = f"/{text}"
        text = text.replace("{url.scheme}:", "")
        path, mark, query = text.partition("?")
        if mark and not query:
            return path, "keep" if "QSA" in self.rule.flags else "drop"
        if "QSD" in self.rule.flags or (mark and "QSA" not in self.rule.flags):
            return text, "drop"
        return text, "keep"

    def _token(self, found: re.Match[str], asked: Asked) -> str:
        if found[1]:
            return found[1]
        if found[0] in "{}":
            return found[0] * 2
        if found[4]:
            value = _VARIABLES.get(found[4].upper())
            if found[4].upper() == "HTTPS" or value is None:
                raise TemplateError(f"the target holds %{{{found[4]}}}", "use HTTP_HOST or REQUEST_URI")
            return value
        if found[3]:
            return self._captured(asked.host or asked.path, int(found[3]), f"%{found[3]}")
        number = whole(found[2])
        if number == 0 or (self.every and (number == 1) and "(" in self.rule.pattern):
            return self._all(asked)
        if self.every:
            return ""
        return self._captured(asked.path, number, f"${number}")

    def _all(self, asked: Asked) -> str:
        """What an expression for every path matched: a mark, to which the slash before it belongs."""
        if self.folder not in ("", "/"):
            return f"{{{asked.rest}}}"
        if not getattr(self, "slashed", False):
            return "\0"
        return "{url.path}"

    def _captured(self, captures: object, number: int, written: str) -> str:
        value = captures.get(number) if hasattr(captures, "get") else None
        if value is None:
            raise TemplateError(f"{written} cannot be had", "write it without nested groups or alternatives")
        return str(value)


def of_regex_below(pattern: str, fold: bool, below: bool) -> tuple[Text, ...]:
    """A rule's expression as texts; `below`: it sees the path without the first slash."""
    return of_regex(pattern, ignore_case=fold, slash=not below)
