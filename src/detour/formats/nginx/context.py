"""What surrounds directives of an nginx configuration; the query behind an inner change of the URI."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from detour.core.url import decode_query
from detour.formats.nginx.scope import UNKNOWN, Scope
from detour.formats.nginx.syntax import Directive
from detour.formats.nginx.values import fixed, has_variables


class Context(msgspec.Struct, frozen=True):
    """What surrounds the directives that run: the blocks inside one another, outermost first."""

    blocks: tuple[Directive, ...]
    maps: Mapping[str, Directive]
    entry: str
    server_name: str

    def setting(self, name: str, default: str) -> str:
        for block in reversed(self.blocks):
            if (found := block.last(name, "")) != "":
                return found
        return default

    def page(self, scope: Scope, code: str) -> tuple[Directive, str, str] | None:
        """As `error_page`, where it is asked: once, unless pages may follow pages."""
        if scope.errored and self.setting("recursive_error_pages", "off") != "on":
            return None
        return self.error_page(code)

    def error_page(self, code: str) -> tuple[Directive, str, str] | None:
        """The page of a status: its directive, what stands behind `=`, and where it leads."""
        for block in reversed(self.blocks):
            pages = list(block.named("error_page"))
            for page in pages:
                *codes, to = page.args or ("",)
                answer = next((one for one in codes if one.startswith("=")), "")
                if code in codes:
                    return page, answer, to
            if pages:
                return None
        return None


def rewritten(scope: Scope, to: str) -> Scope:
    """Behind an inner `rewrite`: the query stays unless the new URI ends with `?` (ngx_http_script.c)."""
    path, _, query = to.removesuffix("?").partition("?")
    before = "" if to.endswith("?") else own(scope)
    joined = "&".join(filter(None, (query, before)))
    uri = f"{path}?{joined}" if joined else path
    return msgspec.structs.replace(scope, uri=uri, kept=scope.kept and not to.endswith("?"))


def own(scope: Scope) -> str:
    """The part of the query that inner changes of the URI wrote."""
    return scope.uri.partition("?")[2]


def arguments(scope: Scope) -> dict[str, str]:
    """The variables of the query, as template text."""
    query = own(scope)
    args = "{url.query}" if scope.kept and not query else fixed(query) if not scope.kept else UNKNOWN
    if has_variables(query):
        args = UNKNOWN
    mark = UNKNOWN if has_variables(query) else "?" if query or args else ""
    known = {"args": args, "query_string": args, "is_args": mark}
    if not has_variables(query):
        known |= {f"arg_{name}": fixed(value) for name, value in reversed(decode_query(query))}
    return known


def appended(to: str, scope: Scope) -> tuple[str, str]:
    """What a redirecting `rewrite` writes, with the query that it appends, and whether the request's own
    follows: `keep` or `drop`."""
    if to.endswith("?"):
        return to.removesuffix("?"), "drop"
    if query := own(scope):
        to = f"{to}{'&' if '?' in to else '?'}{query}"
    return to, "keep" if scope.kept else "drop"
