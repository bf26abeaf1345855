"""Traefik: dynamic configurations, entry points, labels and custom resources.

Read (traefik/traefik, pkg/muxer/http, pkg/middlewares/redirect, pkg/server, v3 and v2):

- Files (YAML, TOML), labels of Compose files (`traefik.http.…`, and flags of `command`), and Kubernetes'
  `Middleware` and `IngressRoute`.
- `redirectScheme`, `redirectRegex`, in a router's middlewares or in `chain`s of them. Traefik chooses the
  status: 302 to GET and 307 to every other method, HEAD too; 301 and 308 where `permanent`.
- `redirections` of entry points: 301 and 308 unless `permanent: false`, in front of all routers.
- Rules: `Host`, `HostRegexp`, `Path`, `PathPrefix` (by characters), `PathRegexp`, `Method`, `Header`,
  `Query` with whole values, `ClientIP`, `&&`, `||`, `!`; v2's names and lists of values.
- Order: `priority`, else the longer rule first; what a router does not redirect is a `pass`, where it hides
  a redirect.
- `redirectRegex` goes by the whole URL, with its query: read where the expression names scheme, host, path
  and query in their order. What it leaves over behind its match is kept.
- `stripPrefix` in front of `redirectScheme`.

A router with `tls`, or at an entry point called `websecure` or `https`, answers https, any other one http.
Hosts are compared with `redirectRegex` in lower case, as URL parsers send them.

Not understood, and named as such: values matched by expressions (`HeaderRegexp`, `QueryRegexp`), a
`redirectRegex` behind what changes the path, rules with variables of the environment, routers without a rule,
middlewares of other files whose name says that they redirect, and `sslRedirect`, which v3 dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detour.formats.draft import Draft, LineFault
from detour.formats.told_once import told_once
from detour.formats.traefik.routers import lines
from detour.formats.traefik.sources import configuration

DEFAULT_STATUS = 302

_SIGNS = re.compile(
    r"traefik\.(?:http\.(?:routers|middlewares)\.|enable\b)"  # labels
    r"|^[^\S\n]*[\"']?apiVersion[\"']?\s*:\s*[\"']?traefik\.(?:io|containo\.us)/"
    r"|^[^\S\n]*\[+(?:http\.(?:routers|middlewares)\.|entryPoints\.)"  # TOML
    r"|--entrypoints\.\w+\.",
    re.MULTILINE | re.IGNORECASE,
)
_DYNAMIC = re.compile(
    r"^[\"']?http[\"']?\s*:[^\S\n]*(?:#[^\n]*)?\n(?:[^\S\n]+[^\n]*\n|\s*(?:#[^\n]*)?\n)*?"
    r"[^\S\n]+[\"']?(?:routers|middlewares)[\"']?\s*:|\{\s*\"http\"\s*:\s*\{\s*\"(?:routers|middlewares)\"",
    re.MULTILINE | re.IGNORECASE,
)
_STATIC = re.compile(r"^[\"']?entryPoints[\"']?\s*:", re.MULTILINE | re.IGNORECASE)


def detect(text: str) -> bool:
    """Whether a text is Traefik's, in one of its forms; only looked at, not parsed."""
    return any(sign.search(text) for sign in (_SIGNS, _STATIC, _DYNAMIC))


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each redirect of each router, restated, in the order in which the first that fits answers."""
    found = configuration(text)
    yield from found.faults
    yield from told_once(lines(found))
