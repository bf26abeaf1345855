"""HAProxy's configuration.

Read (haproxy/haproxy, doc/configuration.txt, of 2.6 and later):

- `http-request redirect`, and `redirect`, which comes after every `http-request`: `location`, `prefix`,
  `scheme`; `code` (default 302), `drop-query`, `keep-query`, `append-slash`, `ignore-empty`,
  `set-cookie`, `clear-cookie`. `prefix` and `scheme` keep the query, `location` does not.
- `http-request return status 3xx … hdr location …`; `redir` of a backend's only server.
- `if` and `unless` with named and anonymous ACLs, `or`, `!`: path, host (`hdr(host)`), query, method,
  `ssl_fc`, `dst_port`, `src`, fields, cookies and query parameters with whole values; matching by
  `_beg`, `_end`, `_sub`, `_dir`, `_dom`, `_reg` or `-m`, `-i`, `-f` files; the predefined ACLs.
  What is negated must be whole texts, beginnings or ends.
- Locations with `%[path]`, `%[query]`, `%[url]`, `%[hdr(host)]`, `%[base]`, `%[capture.req.uri]`,
  `%HU`, `%HP`, `%HQ`, variables that hold one of these, and one map of one of these (`map`,
  `map_str`, `map_beg`, `map_end`, `map_sub`, `map_reg`): a rule for each row; `%[path,bytes(N)]` behind a
  known beginning, `%[path,regsub(^/text,text)]` of a text without captures.
- Frontends, with `use_backend` in order and `default_backend`, as far as a backend redirects; where
  frontends differ in TLS, the scheme tells which one is meant.
- `http-request deny`, `return`, `tarpit`, `reject`, `use-service` and `auth` hide what stands behind them;
  where their condition is not known, they are listed. `http-request allow` hides the `http-request` rules
  behind it; it is listed where other rules redirect after them.

Not understood, and named as such: conditions on anything else; a redirect behind `set-path` and its
like; `http-response redirect`; `errorloc`; other converters.

Where Detour differs on purpose: a Location that would equal the request is not sent; the port of the
request is not part of `%[hdr(host)]`; captures are encoded for the place they land in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from detour.formats.draft import Draft, LineFault
from detour.formats.haproxy.rules import DEFAULT_STATUS, read_sections

if TYPE_CHECKING:
    from detour.formats.dialects import Files

__all__ = ["DEFAULT_STATUS", "detect", "includes", "read"]

_SECTION = re.compile(
    r"^(?:frontend|backend|listen)[ \t]+[\w.:-]+[ \t]*(?:#.*)?$|^(?:defaults|global)[ \t]*$", re.M
)
_INSIDE = re.compile(
    r"^[ \t]+(?:mode[ \t]+(?:http|tcp)|bind[ \t]|http-request[ \t]|use_backend[ \t]|default_backend[ \t]"
    r"|redirect[ \t]|server[ \t]+\S+[ \t]|acl[ \t])",
    re.M,
)
_FILES = re.compile(r"map[a-z_]*\(([^,()\s]+)|\s-f\s+([^\s]+)")


def read(files: Files) -> Iterator[Draft | LineFault]:
    """Each rule that redirects, or hides one, in the order in which a request meets them."""
    return read_sections(files.text, files.texts, files.entry)


def detect(text: str) -> bool:
    """Whether a text is an HAProxy configuration: a section of it, and a line that only stands in one."""
    return bool(_SECTION.search(text) and _INSIDE.search(text))


def includes(text: str) -> Iterable[str]:
    """The files of maps and patterns that a text names."""
    return (found[1] or found[2] for found in _FILES.finditer(text))
