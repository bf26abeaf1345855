"""Whom a part of an Apache configuration answers, and its directives as Drafts of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.core.status import PASS_STATUSES
from detour.errors import PatternError, TemplateError, URLError
from detour.formats.apache.syntax import Directive
from detour.formats.demand import ANY, Asked, Demand, Text, ask, both
from detour.formats.draft import Draft, LineFault
from detour.formats.regex import Expression

Outcome = Draft | LineFault
Refused = (PatternError, TemplateError, URLError)


def segments(path: str) -> tuple[Text, ...]:
    """A path and what is below it, by whole segments."""
    if path.endswith("/"):
        return (Text("prefix", path),)
    return Text("exact", path), Text("prefix", f"{path}/")


class Context(msgspec.Struct, frozen=True):
    """A server or a part of it: the requests it answers, one alternative a host name."""

    demands: tuple[Demand, ...] = (ANY,)
    folder: str = ""  # of a directory or .htaccess: the path that leads to it, "/" at its end; "": a server
    location: str | None = None  # of a <Location>: its path
    regex: Expression | None = None  # of a <LocationMatch>
    entry: str = ""  # the file that is read: no need to name it

    @property
    def in_location(self) -> bool:
        """Whether a redirect may name its target alone."""
        return self.location is not None or self.regex is not None

    def guarded(self, directive: Directive, found: Iterator[Outcome]) -> Iterator[Outcome]:
        """What a directive yields, or the fault that it is: one of them, never both."""
        try:
            outcomes = list(found)
        except Refused as error:
            outcomes = [self.fault(directive, error.fact, error.remedy)]
        yield from outcomes

    def fault(self, directive: Directive, fact: str, remedy: str) -> LineFault:
        """A directive that cannot be expressed."""
        return LineFault(directive.line, fact, remedy, file=self._file(directive))

    def doubted(self, fault: LineFault) -> Iterator[LineFault]:
        """The fault with all that this part answers, which must not fall to what stands behind it."""
        for draft in self.passes(Directive("", 0, "", ()), Demand(), 404):
            yield msgspec.structs.replace(
                fault,
                pattern=draft.pattern,
                ignore_case=draft.ignore_case,
                methods=draft.methods,
                when=draft.when,
                unless=draft.unless,
            )

    def drafts(
        self,
        directive: Directive,
        demand: Demand,
        template: str,
        status: int,
        pattern: str | None = None,
        ignore_case: bool = False,
        query: Literal["keep", "drop"] | None = None,
        note: str = "",
    ) -> Iterator[Draft]:
        """A redirect for each host; `{rest}` in the template is what an open end of the path took. `pattern`
        takes the place of the demand's path."""
        if self.regex is not None and pattern is None:
            pattern, ignore_case = self.regex.pattern, self.regex.ignore_case
        for joined in self._joined(demand):
            for asked in self._asked(joined, pattern, ignore_case):
                location = template.replace("{rest}", f"{{{asked.rest}}}" if asked.rest else "")
                kept: Literal["keep", "drop"] = "drop" if "?" in template else "keep"
                if query is None and kept == "keep" and "#" in location:
                    yield self._in_fragment(directive, joined, asked, location, status)
                    kept = "drop"
                yield self.draft(directive, joined, asked, location, status, query or kept, note)

    def _in_fragment(
        self, directive: Directive, demand: Demand, asked: Asked, location: str, status: int
    ) -> Draft:
        """A request with a query, where the target has a fragment: Apache appends it there (mod_alias.c)."""
        queried = msgspec.structs.replace(asked, pattern=f"{asked.pattern}\\?:appended(.+)")
        note = "the request's query is appended to the target's fragment, which no server sees: write a `?`"
        return self.draft(directive, demand, queried, f"{location}?{{appended}}", status, "drop", note)

    def passes(
        self,
        directive: Directive,
        demand: Demand,
        status: int,
        pattern: str | None = None,
        ignore_case: bool = False,
    ) -> Iterator[Draft]:
        """What answers without redirecting."""
        if self.regex is not None and pattern is None:
            pattern, ignore_case = self.regex.pattern, self.regex.ignore_case
        for joined in self._joined(demand):
            for asked in self._asked(joined, pattern, ignore_case):
                known = status if status in PASS_STATUSES else None
                yield self.draft(directive, joined, asked, None, known, "keep", "")

    def _joined(self, demand: Demand) -> Iterator[Demand]:
        paths = [ANY]
        if self.location is not None and demand.path is None:
            paths = [Demand(path=text) for text in segments(self.location)]
        for own in self.demands:
            joined = both(own, demand)
            for path in paths if joined is not None else ():
                found = None if joined is None else both(joined, path)
                if found is not None:
                    yield found

    def _asked(self, demand: Demand, pattern: str | None, ignore_case: bool) -> list[Asked]:
        if pattern is None:
            return ask(demand)
        [asked] = ask(msgspec.structs.replace(demand, path=Text("exact", "/")))
        origin = asked.pattern.removesuffix("/")
        return [msgspec.structs.replace(asked, pattern=origin + pattern, ignore_case=ignore_case)]

    def draft(
        self,
        directive: Directive,
        demand: Demand,
        asked: Asked,
        location: str | None,
        status: int | None,
        query: Literal["keep", "drop"],
        note: str,
    ) -> Draft:
        """One rule, for requests that have been asked for as a pattern."""
        return Draft(
            directive.line,
            asked.pattern,
            location,
            status,
            note=note,
            query=query,
            ignore_case=asked.ignore_case,
            file=self._file(directive),
            methods=demand.methods,
            when=demand.when,
            unless=demand.unless,
        )

    def _file(self, directive: Directive) -> str:
        return "" if directive.file == self.entry else directive.file
