"""nginx configuration

Read, in the order in which nginx itself decides (https://nginx.org/en/docs/http/request_processing.html):

- `listen` and `server_name`: scheme and port of each socket; exact names, `*.` masks, `.*` masks,
  expressions in order, the default server. Addresses are not told apart, only ports.
- `location`: `=`, the longest prefix, `^~`, expressions in order, nested and named ones.
- `return` (301, 302, 303, 307, 308, or a URL alone), `rewrite` (`redirect`, `permanent`, absolute URLs;
  `last` and `break` where the new URI is known), `set`, `map` (exact, then expressions, then default),
  `if` on `$scheme`, `$host`, `$request_method`, `$request_uri`, `$uri`, an empty `$args`, `$arg_…`,
  `$http_…`, `$cookie_…` and what was set or mapped; `error_page` of a status returned here, and of 497.
- `absolute_redirect`, `server_name_in_redirect`, `port_in_redirect`; the redirect to a
  `location /dir/` that is handed on (`proxy_pass` and the like), as implicit.
- `include`, with globs.

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
