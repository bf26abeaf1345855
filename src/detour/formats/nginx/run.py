"""Directives of the rewrite module, run over a set of requests at once (ngx_http_rewrite_module)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

import msgspec

from detour.core.message import METHODS
from detour.core.status import REDIRECT_STATUSES
from detour.errors import PatternError, TemplateError
from detour.formats.draft import Draft, LineFault
from detour.formats.nginx.conditions import SUBJECTS, compared, condition, deciding
from detour.formats.nginx.context import Context, appended, arguments, own, rewritten
from detour.formats.nginx.scope import UNKNOWN, Scope, from_the_root
from detour.formats.nginx.syntax import URL_STARTS, Directive, redirects, walk
from detour.formats.nginx.values import Text, filled, fixed, has_variables, replaced, variables
from detour.formats.numbers import whole

MAX_STEPS = 2000  # of one server and socket, besides the rows of maps: conditions multiply

Item = Draft | LineFault
Steps = tuple[Directive, ...]
REWRITES = ("if", "return", "rewrite", "set", "break")


class Runner:
    """Runs directives; `goes_on` says what answers where they come to their end or change the URI."""

    def __init__(
        self,
        context: Context,
        goes_on: Callable[[Scope], Iterator[Item]],
        jump: Callable[[Scope, str], Iterator[Item]],
        steps: list[int],
        may_redirect: Callable[[str], bool],
    ) -> None:
        self.context = context
        self.goes_on = goes_on
        self.jump = jump
        self.steps = steps
        self.may_redirect = may_redirect
        self.deciding = deciding(context.blocks)

    def run(self, steps: Steps, scope: Scope) -> Iterator[Item]:
        """What answers, first things first; raises nothing."""
        self.steps[0] += 1
        if self.steps[0] > MAX_STEPS + 4 * sum(len(one.block or ()) for one in self.context.maps.values()):
            yield LineFault(
                1, "conditions that multiply beyond measure", "use `map`, or split the server", scope.pattern
            )
            return
        if not steps:
            yield from self.goes_on(scope)
            return
        step, *rest = steps
        try:
            made = list(_STEPS[step.name](self, step, tuple(rest), scope))
        except (PatternError, TemplateError) as error:
            if redirects(step):
                yield self.fault(step, error.fact, error.remedy)
            yield from self.run(tuple(rest), scope)
            return
        yield from made

    def fault(self, step: Directive, fact: str, remedy: str, pattern: str | None = None) -> LineFault:
        place = next((one for one in walk(step) if one.name != "if" and redirects(one)), step)
        return LineFault(place.line, fact, remedy, pattern, file=self._file(place))

    def _file(self, step: Directive) -> str:
        return "" if step.file == self.context.entry else step.file

    # --- return -----------------------------------------------------------------------------------------

    def _return(self, step: Directive, rest: Steps, scope: Scope) -> Iterator[Item]:
        first = step.args[0] if step.args else ""
        if first.startswith(URL_STARTS) and len(step.args) == 1:
            yield from self.redirect(step, scope, 302, first)
            return
        code = int(first) if first.isdecimal() and len(first) < 4 else 0
        if code in REDIRECT_STATUSES and len(step.args) > 1 and step.args[1]:
            yield from self.redirect(step, scope, code, step.args[1])
            return
        if len(step.args) < 2 and code >= 300:
            page = self.context.page(scope, first)
            if page is not None:
                yield from self.to_page(page, scope, code)
                return
        yield self.passes(step, scope)

    def to_page(self, page: tuple[Directive, str, str], scope: Scope, code: int) -> Iterator[Item]:
        """What answers for a status that has a page of its own."""
        directive, answer, to = page
        scope = msgspec.structs.replace(scope, errored=True)
        if to.startswith(URL_STARTS) or (has_variables(to) and not to.startswith(("/", "@"))):
            status = whole(answer[1:]) if answer[1:].isdecimal() else 302
            yield from self._redirected(
                directive, scope, status if status in REDIRECT_STATUSES else 302, to, "drop", ""
            )
        elif has_variables(to.partition("?")[0]):
            yield self.passes(directive, scope)
        elif to.startswith("@"):
            yield from self.jump(scope, to)
        else:
            yield from self.jump(msgspec.structs.replace(scope, uri=to, kept=False), to)

    def passes(self, step: Directive, scope: Scope) -> Draft:
        return passing(step, scope, self._file(step))

    def redirect(
        self, step: Directive, scope: Scope, status: int, to: str, query: str = "drop", implicit: str = ""
    ) -> Iterator[Item]:
        """A redirect, or the page of its status (ngx_http_special_response_handler asks for 3xx, too)."""
        page = self.context.page(scope, str(status))
        items = [] if page is None else list(self.to_page(page, scope, status))
        stays = [page is not None and not page[1] and self._is_text(one) for one in items]
        if page is None or (items and all(stays)):
            yield from self._redirected(step, scope, status, to, query, implicit)
            return
        for one, leaves in zip(items, stays, strict=True):
            if leaves:
                fact = f"the page of {status} redirects some requests, and leaves others their Location"
                yield self.fault(step, fact, "return what is meant at once", one.pattern)
            else:
                yield one

    def _is_text(self, item: Item) -> bool:
        """Whether `return 200` or the like answers: as the page of a redirect it leaves its Location."""
        if not isinstance(item, Draft) or item.location is not None:
            return False
        return any(
            (one.name, one.line, self._file(one)) == ("return", item.line, item.file)
            and one.args[:1] < ("300",)
            for one in walk(self.context.blocks[1])
        )

    def _redirected(
        self, step: Directive, scope: Scope, status: int, to: str, query: str, implicit: str
    ) -> Iterator[Item]:
        """In as many drafts as what its variables hold takes."""
        for narrowed, text in self.expanded(to, scope):
            try:
                yield from self._drafts(step, narrowed, status, text, query, implicit)
            except (PatternError, TemplateError) as error:
                yield self.fault(step, error.fact, error.remedy, narrowed.pattern)

    def _drafts(
        self, step: Directive, scope: Scope, status: int, to: str, query: str, implicit: str
    ) -> Iterator[Draft]:
        """With every parameter that the Location has of the query, then with fewer: nginx writes nothing."""
        if not re.match(r"/|https?://|\$", to):
            for narrowed, whole in from_the_root(scope, to):
                yield self._draft(step, narrowed, status, whole, query, implicit)
            return
        known = arguments(scope)
        named = [one for one in dict.fromkeys(variables(to)) if one.startswith("arg_") and one not in known]
        of_request = scope.kept or has_variables(own(scope))
        if not of_request:
            scope = scope.with_known(dict.fromkeys(named, ""))
        taken = named[:3] if of_request else []
        for count in range(len(taken), -1, -1):
            for present in combinations(taken, count):
                absent = dict.fromkeys((one for one in taken if one not in present), "")
                yield self._draft(step, scope.with_known(absent), status, to, query, implicit)

    def _draft(self, step: Directive, scope: Scope, status: int, to: str, query: str, implicit: str) -> Draft:
        text = filled(to, self._known(scope))
        location = self._absolute(text, scope)
        note = ""
        if re.search(r"\$\{?(?:document_)?uri\b", to):
            note = "$uri is decoded, so a request can put line ends into the Location: write $request_uri"
        return Draft(
            step.line,
            scope.pattern,
            location,
            status,
            parameters=text.parameters,
            note=note,
            query="keep" if query == "keep" else "drop",
            ignore_case=scope.path.ignore_case,
            file=self._file(step),
            methods=scope.methods,
            when=scope.when,
            implicit=implicit,
        )

    def _known(self, scope: Scope) -> dict[str, str]:
        uri = scope.uri.partition("?")[0]
        path = "{url.path}" if not uri else fixed(uri)
        host = scope.name or "{url.hostname}"
        known = {
            "scheme": scope.scheme,
            "host": host,
            "http_host": f"{host}:{{url.port}}",
            "server_port": scope.port,
            "server_name": self.context.server_name,
            "request_uri": "{url.path}?{url.query}",
            "uri": path,
            "document_uri": path,
            **arguments(scope),
            "https": "on" if scope.scheme == "https" else "",
            "hostname": "{url.hostname}",
            **dict(scope.known),
        }
        return {name: text for name, text in known.items() if text != UNKNOWN and name != ""}

    def _absolute(self, text: Text, scope: Scope) -> str:
        """A Location as it leaves nginx; raises `TemplateError` for one that is no URL from the root."""
        to = text.template.replace("??", "?")
        if not to.startswith("/"):
            if not re.match(r"https?://", to):
                raise TemplateError(f"the Location `{to}` is relative", "write it from the root: `/…`")
            return to
        context = self.context
        if context.setting("absolute_redirect", "on") == "off":
            return to
        named = context.setting("server_name_in_redirect", "off") == "on"
        ported = context.setting("port_in_redirect", "on") == "on"
        if not named and ported:
            return to
        port = f":{scope.port}" if ported else ""
        host = context.server_name if named and context.server_name else "{url.hostname}"
        return f"{scope.scheme}://{host}{port}{to}"

    # --- variables that have more than one value ----------------------------------------------------------

    def expanded(self, text: str, scope: Scope, depth: int = 0) -> Iterator[tuple[Scope, str]]:
        """The text with maps and set variables resolved, each value with the requests that have it."""
        texts = dict(scope.texts)
        if not scope.kept and re.fullmatch(r"\$arg_\w+", own(scope)):  # of the request, before the change
            texts |= {"args": own(scope), "query_string": own(scope)}
        for name in variables(text):
            if name in texts:
                text = replaced(text, name, texts[name])
        if "request_method" in variables(text):
            asked = METHODS - {"TRACE"} if scope.methods is None else scope.methods  # nginx: 405, always
            for method in sorted(asked, key=lambda one: (one != "HEAD", one)):  # GET is HEAD, too
                narrowed = msgspec.structs.replace(scope, methods=frozenset((method,)))
                yield from self.expanded(replaced(text, "request_method", method), narrowed, depth)
            return
        found = next((name for name in variables(text) if name in self.context.maps), None)
        if found is None or depth > 4:
            yield scope, text
            return
        for mapped, value in self._mapped(self.context.maps[found], scope):
            narrowed = mapped.with_text(found, value)
            yield from self.expanded(replaced(text, found, value), narrowed, depth + 1)

    def _mapped(self, table: Directive, scope: Scope) -> Iterator[tuple[Scope, str]]:
        """Every value of a map in the order it is found: texts, masks, expressions, default."""
        source = table.args[0]
        default = ""
        rows: list[tuple[int, int, str, str]] = []
        for at, row in enumerate(table.block or ()):
            value = row.args[0] if row.args else ""
            if row.name == "default":
                default = value
            elif row.name not in ("hostnames", "volatile", "include"):
                key = row.name.removeprefix("\\") if row.name != "\\" else row.name
                rank = 3 if row.name.startswith("~") else 1 if key.startswith(("*.", ".")) else 0
                rows.append((2 if rank == 0 and key.endswith(".*") else rank, at, key, value))
        for rank, _, key, value in sorted(
            rows, key=lambda row: (row[0], -len(row[2]) if row[0] in (1, 2) else 0, row[1])
        ):
            operator = (
                "mask" if rank in (1, 2) else "~*" if key.startswith("~*") else "~" if rank == 3 else "=*"
            )
            operand = key.lstrip("~*") if rank == 3 else key
            for narrowed in self.narrowed(source, operator, operand, scope):
                yield narrowed, value
        yield scope, default

    # --- if and set ---------------------------------------------------------------

    def _if(self, step: Directive, rest: Steps, scope: Scope) -> Iterator[Item]:
        block = tuple(one for one in step.block or () if one.name in REWRITES)
        idle = all(
            one.name == "set" and one.args[:1] and one.args[0][1:] not in self.deciding for one in block
        )
        if idle:
            yield from self.run(rest, scope)
            return
        for narrowed, holds in self._tested(condition(step.args), scope):
            yield from self.run((*block, *rest) if holds else rest, narrowed)

    def _tested(self, test: tuple[str, str, str], scope: Scope) -> Iterator[tuple[Scope, bool]]:
        """Requests and whether the condition holds for them; the last are all that are left."""
        subject, operator, operand = test
        name = subject.removeprefix("$").strip("{}")
        negated = operator.startswith("!")
        texts = dict(scope.texts)
        if name in texts or name in self.context.maps:
            for narrowed, value in self.expanded(subject, scope):
                yield narrowed, compared(value, operator, operand)
            return
        for narrowed in self.narrowed(subject, operator.removeprefix("!"), operand, scope):
            yield narrowed, not negated
            if narrowed == scope:
                return
        yield scope, negated

    def narrowed(self, subject: str, operator: str, operand: str, scope: Scope) -> Iterator[Scope]:
        """The requests for which `subject` is, has or matches `operand`; raises `PatternError`."""
        name = subject.removeprefix("$").strip("{}")
        fixed_text = {
            "scheme": scope.scheme,
            "server_port": scope.port,
            "https": "on" if scope.scheme == "https" else "",
            **self._changed(scope),
        }.get(name)
        if fixed_text is not None:
            if compared(fixed_text, operator, operand):
                yield scope
            return
        for prefix, narrow in SUBJECTS:
            if name == prefix or (prefix.endswith("_") and name.startswith(prefix)):
                yield from narrow(scope, name, operator, operand)
                return
        raise PatternError(f"`{subject}` is known to nginx alone", "decide by something in the request")

    def _changed(self, scope: Scope) -> dict[str, str]:
        """What is known after an `error_page`: it becomes a GET, with the query of the page's URI alone."""
        if scope.kept or has_variables(own(scope)):
            return {}
        known = {name: text for name, text in arguments(scope).items() if name != "is_args"}
        return {**known, "request_method": "GET"} if scope.errored else known

    def _set(self, step: Directive, rest: Steps, scope: Scope) -> Iterator[Item]:
        if len(step.args) != 2:
            yield from self.run(rest, scope)
            return
        name = step.args[0].removeprefix("$")
        for narrowed, value in self.expanded(step.args[1], scope):
            yield from self.run(rest, narrowed.with_text(name, value))

    # --- rewrite and break ---------------------------------------------------------------

    def _rewrite(self, step: Directive, rest: Steps, scope: Scope) -> Iterator[Item]:
        if len(step.args) < 2:
            yield from self.run(rest, scope)
            return
        regex, to, *flags = step.args
        flag = flags[0] if flags else ""
        for narrowed in scope.with_path(regex):
            if flag in ("redirect", "permanent") or to.startswith(URL_STARTS):
                status = 301 if flag == "permanent" else 302
                yield from self.redirect(step, narrowed, status, *appended(to, narrowed))
            else:
                yield from self._inner(step, flag, to, rest, narrowed)
            if narrowed.is_as(scope):
                return
        yield from self.run(rest, scope)

    def _inner(self, step: Directive, flag: str, to: str, rest: Steps, scope: Scope) -> Iterator[Item]:
        """An inner rewrite: followed where the new URI is known."""
        path = to.partition("?")[0]
        if has_variables(path):
            if flag != "break" and (any(map(redirects, rest)) or self.may_redirect(path.partition("$")[0])):
                yield self.unfollowed(step, scope)
            else:
                yield self.passes(step, scope)
            return
        changed = rewritten(scope, to)
        if flag == "break":
            yield self.passes(step, changed)
        elif flag == "last":
            yield from self.jump(changed, changed.uri)
        else:
            yield from self.run(rest, changed)

    def unfollowed(self, step: Directive, scope: Scope) -> LineFault:
        fact = f"`{step.args[1]}` may be redirected again"
        return LineFault(step.line, fact, "redirect in one step", scope.pattern, file=self._file(step))

    def _break(self, step: Directive, rest: Steps, scope: Scope) -> Iterator[Item]:
        yield from self.goes_on(scope)


def passing(step: Directive, scope: Scope, file: str) -> Draft:
    """These requests are answered without a redirect."""
    return Draft(
        step.line,
        scope.pattern,
        ignore_case=scope.path.ignore_case,
        file=file,
        methods=scope.methods,
        when=scope.when,
    )


_STEPS: dict[str, Callable[[Runner, Directive, Steps, Scope], Iterator[Item]]] = {
    "return": Runner._return,
    "rewrite": Runner._rewrite,
    "if": Runner._if,
    "set": Runner._set,
    "break": Runner._break,
}
