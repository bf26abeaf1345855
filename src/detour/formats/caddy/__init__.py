"""Caddyfile, and Caddy's JSON.

Read (caddyserver/caddy, caddyconfig/httpcaddyfile, modules/caddyhttp, 2.11):

- Sites by address: scheme, host (`*` for a label), port, path; the most exact host first. A request answers
  from one site or not at all. Snippets, `import` with arguments and files, named routes.
- `redir` with `permanent`, `temporary` or a status (default 302), and `header Location` with `respond` of
  a 3xx status.
- Caddy's order of directives, and `order`; of one kind the longest path first. `handle` and `handle_path`
  exclude each other; `route` keeps its order. `handle_path` and `uri strip_prefix` in front of a redirect.
- Matchers: `path` (`*` at either end, or as a part; no case), `path_regexp`, `host`, `method`, `header` and
  `query` with whole values, `header_regexp` of whole values or of Host, `protocol`, `remote_ip`, `client_ip`,
  `not`; `vars_regexp` of `{uri}` that ends where the query begins; `expression` that speaks of the same
  (`path(…)`, `{method} == 'GET'`, `&&`, `||`, `!` and such).
- Placeholders: `{uri}`, `{path}`, `{query}`, `{?query}`, `{host}`, `{hostport}`, `{port}`, `{scheme}`,
  `{re.NAME.N}`, `{labels.N}`, `{orig_uri}`, and their long names.
- Automatic HTTPS: 308 from http to https for every named host and, behind all sites, for any other one,
  unless `auto_https off` or `disable_redirects`; implicit.
- `respond`, `error`, `abort`, `reverse_proxy`, `file_server`, `php_fastcgi` are a `pass`, where they hide a
  redirect.
- JSON: `static_response` with a Location, `subroute`, `rewrite`, groups, `terminal`, the same matchers.

Noted, not read: the redirects of `file_server` and `php_fastcgi` between `/folder` and `/folder/`, which
depend on the files. `{query}` behind a `?` leaves the mark where there is no query; Detour leaves it out.

Not understood, and named as such: other expressions, `file`, `vars` and other matchers; `redir … html`, which
answers 200; redirects behind `rewrite` or `try_files` that look at the path; `handle_errors`; values of the
environment without a default; placeholders of `map` and `vars`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from detour.formats.caddy import json_config
from detour.formats.caddy.blocks import caddyfile
from detour.formats.caddy.blocks import includes as imports
from detour.formats.caddy.sites import site_routes
from detour.formats.caddy.walk import walk
from detour.formats.draft import Draft, LineFault
from detour.formats.told_once import told_once

if TYPE_CHECKING:
    from detour.formats.dialects import Files

__all__ = ["DEFAULT_STATUS", "detect", "includes", "read"]

DEFAULT_STATUS = 302

_JSON = re.compile(r"\s*\{")
_SITE = re.compile(
    r"^(?!server\b|http\b|location\b|frontend\b)(?:https?://)?(?:[\w*.-]+|\[[0-9A-Fa-f:]+\]|(?=:\d))?(?::\d+)?(?:/\S*)?"
    r"(?:[ \t]*,\s*\S+)*[ \t]*\{?[ \t]*(?:#.*)?$|^\{[ \t]*$|^\([\w.-]+\)[ \t]*\{[ \t]*$",
    re.MULTILINE,
)
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:redir[ \t]+\S|reverse_proxy(?:[ \t]+[^;\n]*)?$|file_server(?:[ \t]+\w+)?[ \t]*(?:\{[ \t]*)?$"
    r"|php_fastcgi[ \t]|handle(?:_path|_errors)?(?:[ \t]+[/@*]\S*)?[ \t]*\{[ \t]*$|auto_https[ \t]"
    r"|forward_auth[ \t]|respond[ \t]+[^;\n]*$|uri[ \t]+(?:strip_|replace|query|path_)|route[ \t]*\{[ \t]*$"
    r"|root[ \t]+\*[ \t]|encode[ \t]+(?:gzip|zstd)[ \t\w]*$|import[ \t]+[^;'\"\n]+$|tls[ \t]+internal[ \t]*$"
    r"|log[ \t]*\{[ \t]*$)",
    re.MULTILINE,
)
_FOREIGN = re.compile(
    r";[ \t]*$|^[ \t]*<[A-Za-z]|^[ \t]*(?:server|http|upstream[ \t]+\S+|location[ \t]+[^{\n]+)[ \t]*\{"
    r"|^(?:frontend|backend|listen|defaults|global)\b|^[ \t]*http-request\b",
    re.MULTILINE,
)


def detect(text: str) -> bool:
    """Whether a text is a Caddyfile or Caddy's JSON; only looked at, not parsed."""
    if _JSON.match(text) and '"apps"' in text:
        return json_config.detect(text)
    if _FOREIGN.search(text):
        return False
    return _SITE.search(text) is not None and _DIRECTIVE.search(text) is not None


def includes(text: str) -> Iterable[str]:
    """The files, or globs, that a text imports."""
    return imports(text)


def read(files: Files) -> Iterator[Draft | LineFault]:
    """Each route that redirects, or hides one, in the order in which requests pass them."""
    if json_config.detect(files.text):
        yield from _without_idle_passes(told_once(json_config.read(files.text)))
        return
    parsed = caddyfile(files.entry, files.texts)
    yield from parsed.faults
    routes, faults = site_routes(parsed)
    yield from faults
    yield from _without_idle_passes(told_once(walk(routes)))


def _without_idle_passes(lines: Iterable[Draft | LineFault]) -> Iterator[Draft | LineFault]:
    """The lines without the `pass` Drafts that hide nothing and say nothing."""
    held: list[Draft] = []
    for line in lines:
        if isinstance(line, Draft) and line.location is None and not line.note:
            held.append(line)
            continue
        yield from held
        held.clear()
        yield line
