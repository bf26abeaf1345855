"""nginx configuration

Read, in the order in which nginx itself decides (https://nginx.org/en/docs/http/request_processing.html):

- `listen` and `server_name`: scheme and port of each socket; exact names, `*.` masks, `.*` masks,
  expressions in order, the default server. Addresses are not told apart, only ports.
- `location`: `=`, the longest prefix, `^~`, expressions in order, nested and named ones.
- `return` (301, 302, 303, 307, 308, or a URL alone), `rewrite` (`redirect`, `permanent`, absolute URLs;
  `last` and `break` where the new URI is known), `set`, `map` (exact, then expressions, then default),
  `if` on `$scheme`, `$host`, `$request_method`, `$request_uri`, `$uri`, an empty `$args`, `$arg_…`,
  `$http_…`, `$cookie_…` and what was set or mapped; `error_page` of a status returned here (a redirect's
  own, too: `error_page 302`), and of 497; `internal`; `$request_method` in a Location.
- Two expressions on one path, a location's and a rewrite's, where one implies the other or none fits both.
- `absolute_redirect`, `server_name_in_redirect`, `port_in_redirect`; the redirect to a
  `location /dir/` that is handed on (`proxy_pass` and the like), as implicit.
- `include`, with globs.

A location whose expression cannot be said is listed, and all that it may answer is left unanswered, so that
nothing behind it answers in its place.

Not read: what depends on files (`-f`), on what a backend answers (`error_page 404 https://…` without a
`return 404`), on variables that only nginx knows; a redirect under such a condition is listed as not
understood. `$uri` in a Location is noted: it is decoded, so line ends can be sent; `$request_uri` is not.
A wildcard inside an expression on `$request_uri` ends at the query; only a last group holds the query too.
"""

from __future__ import annotations

from detour.formats.nginx.detection import detect
from detour.formats.nginx.reader import DEFAULT_STATUS, read
from detour.formats.nginx.syntax import includes

__all__ = ["DEFAULT_STATUS", "detect", "includes", "read"]
