"""Apache's httpd.conf and .htaccess.

Read (httpd.apache.org/docs/2.4, mod_alias, mod_rewrite, sections):

- `Redirect`, `RedirectPermanent`, `RedirectTemp`, `RedirectMatch`: whole path segments, what follows is
  appended; the first that matches answers; status words and numbers; `gone` and other statuses hide
  what stands behind them. The query is kept unless the target has one.
- `RewriteRule` with R, L, END, NC, QSA, QSD, F, G, P, PT and `RewriteCond` on HTTPS, HTTP_HOST,
  SERVER_NAME, REQUEST_URI, QUERY_STRING, REQUEST_METHOD, SERVER_PORT, REMOTE_ADDR, HTTP_COOKIE,
  THE_REQUEST (where it says where the path begins and ends) and fields with whole values; OR, NC,
  negation; `RewriteBase`; an absolute target redirects without R.
- `!-f` and `!-d` count as true, `-f` and `-d` as false, with a note: Detour has no files.
- `<VirtualHost>` by name and port, the first of an address for all other names; `<Location>`,
  `<LocationMatch>` with `%{env:MATCH_…}`, `<If>` of comparisons with `&&` and `||`, `<Directory>` below
  DocumentRoot; `Include`; `<IfModule>` and its like are taken to hold, with `!` not to; `<IfVersion>` is
  asked for 2.4.57.
- mod_rewrite comes before mod_proxy (`ProxyPass` hides), that before mod_alias; servers before directories.
- Where a target has a fragment and no query, the request's query is appended to the fragment, as Apache does.

Not understood, and named as such: S, C and N; a redirect in a container that is taken not to hold (one
for Apache 2.5, which is not released, is passed over); what a rule matches that changes the path and goes
on, where a redirect behind it may see the new path; a rule that ends the rewriting, with redirects behind
it, on a condition that is not understood (what its expression matches is then in doubt); RewriteMap; other
conditions of `<If>`, `<Else>`, `<Files>`; a RewriteRule in a `<Location>`; `ErrorDocument` with a URL;
`Header … Location`. `DirectorySlash` depends on the file system: no rule is made of it.

Where Detour differs on purpose: a Location that would equal the request is not sent; captures are
encoded for the place they land in; HTTP_HOST is the host without its port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from detour.formats.apache.alias import DEFAULT_STATUS
from detour.formats.apache.reader import read_files
from detour.formats.draft import Draft, LineFault

if TYPE_CHECKING:
    from detour.formats.dialects import Files

__all__ = ["DEFAULT_STATUS", "detect", "includes", "read"]

_CONTENT = re.compile(
    r"^[ \t]*(?:Rewrite(?:Engine|Base)[ \t]+\S+|RewriteRule[ \t]+\S+[ \t]+\S+"
    r"|Redirect(?:Match|Permanent|Temp)"
    r"[ \t]+\S+[ \t]+\S+|Redirect[ \t]+(?:[0-9]{3}|permanent|temp|seeother|gone|/\S*)[ \t]+\S+"
    r"|<(?:VirtualHost|IfModule|Directory|Location)[ \t][^>\n]*>)[^;{\n]*$",
    re.MULTILINE | re.IGNORECASE,
)
_INCLUDE = re.compile(r"^[ \t]*Include(?:Optional)?[ \t]+\"?([^\"\s]+)", re.MULTILINE | re.IGNORECASE)


def read(files: Files) -> Iterator[Draft | LineFault]:
    """Each redirect, in the order in which the first match answers."""
    return read_files(files.entry, dict(files.texts))


def detect(text: str) -> bool:
    """Whether a text is Apache's: a directive of mod_alias or mod_rewrite, or a container of its own."""
    return _CONTENT.search(text) is not None


def includes(text: str) -> Iterable[str]:
    """The files, or globs, that a text includes."""
    return (found[1] for found in _INCLUDE.finditer(text))
