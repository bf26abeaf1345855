"""What to do about a rule: words, and the lines to write instead in the language of its file.

Where no line can be given the remedy says why: `NO_LINES`, one row for each check, or a check in a dialect.
"""

from __future__ import annotations

import msgspec

from detour.audit import edits
from detour.audit.edits import Edits
from detour.audit.survey import Place, lines_of
from detour.core.rule import Rule

_OWNER = "only its author knows "
_ONLY_REDIRECTS = "this language lists redirects alone; nothing in it lets a request pass"
_ROUTE = "it needs a route to a service whose name is not in this rule"

# (check, dialect) or (check, ""): why no line can be written for it.
NO_LINES: dict[tuple[str, str], str] = {
    ("unused-capture", ""): _OWNER + "whether the captured part belongs into the Location",
    ("open-location", ""): _OWNER + "which hosts are meant",
    ("internal-host-leak", ""): _OWNER + "the public name of that host",
    ("port-leak", ""): _OWNER + "the public port",
    ("https-behind-tls", ""): "what arrives is decided in front of this file: by the layer that ends TLS",
    ("websocket-redirect", ""): "a handshake needs a server that answers it; " + _ROUTE,
    ("probe-redirect", ""): _ROUTE,
    ("content-crosses-origin", ""): _OWNER + "whether the other site is meant",
    ("hsts-contradicted", ""): "the field stands elsewhere in this file, or in another one",
    ("grpc-redirect", ""): "gRPC has no redirect; " + _ROUTE,
    ("status-by-method", "traefik"): "Traefik's middleware chooses the status by method, and has no other",
    ("unstated-status", "alb"): "AWS: RedirectActionConfig knows HTTP_301 and HTTP_302 only",
    ("method-loss", "alb"): "AWS: RedirectActionConfig knows HTTP_301 and HTTP_302 only; redirect behind it",
    ("method-loss", "traefik"): "Traefik's middleware chooses the status by method, and has no other",
    ("credential-307", "traefik"): "Traefik's middleware chooses the status by method, and has no other",
    ("credential-307", "alb"): "AWS: RedirectActionConfig knows HTTP_301 and HTTP_302 only",
    ("credential-307", "cloudflare-bulk"): "Cloudflare: bulk redirects know 301, 302, 307 and 308 only",
    ("acme-redirect", "csv"): _ONLY_REDIRECTS,
    ("acme-redirect", "cloudflare-bulk"): _ONLY_REDIRECTS,
    ("acme-redirect", "cloudflare-pages"): _ONLY_REDIRECTS,
    ("acme-redirect", "vercel-bulk"): _ONLY_REDIRECTS,
    ("acme-redirect", "vercel"): "redirects come before everything else in vercel.json",
    ("acme-redirect", "apache"): "no later line undoes Redirect and RedirectMatch; narrow the expression",
    ("acme-redirect", "haproxy"): "the exception has to be made one condition with the rule's own",
    ("acme-redirect", ""): _ROUTE,
    (
        "preflight-redirect",
        "",
    ): "a preflight needs an answer of its own, with Access-Control-Allow-*",
    ("implicit-slash", ""): "nobody wrote a line; it is a setting of the program, named above",
    ("dropped-query", ""): "this language has no word for it in this kind of line",
    ("permanent-without-cache", ""): "this language cannot say how long in this kind of line",
    ("decoded-path-location", ""): "the raw target has another form in this kind of line",
    ("shadowed-rule", ""): "the order of lines does not decide here, or several rules share the line",
    ("redirect-loop", ""): "it takes more than one line, and only the owners know which layer decides",
    ("self-redirect", ""): "the line holds more than this rule",
    ("duplicate-rule", ""): "the line holds more than this rule",
    ("overstayed", ""): "the line holds more than this rule",
    ("health-redirect", ""): "the rule matches more than the health check's path; " + _ROUTE,
}
# What no line of a dialect can say, whatever the check.
NO_LINES_OF: dict[str, str] = {
    "traefik": "the middleware stands by itself, and other routers may use it",
    "ingress": "annotations hold for every path of the object",
    "alb": "the action is part of a template, whose other keys decide with it",
}
_OTHER = "the line is made of more than this rule shows"


class Remedy(msgspec.Struct, frozen=True):
    """What to do, as a sentence, and how it is written."""

    words: str
    edits: Edits = ()
    shown: tuple[str, ...] = ()  # lines to show: those of the edits, unless something is only taken out


def why_none(check: str, dialect: str) -> str:
    """Why no line can be given for it."""
    return NO_LINES.get((check, dialect)) or NO_LINES.get((check, "")) or NO_LINES_OF.get(dialect, _OTHER)


def text(remedy: Remedy, check: str, dialect: str, otherwise: str) -> str:
    """The remedy as findings say it: the lines indented, or why there are none."""
    words = (remedy.words or otherwise).rstrip(".:")
    if not remedy.edits:
        return f"{words}.\nNo line can be written for it here: {why_none(check, dialect)}."
    rows = remedy.shown or tuple(row for edit in remedy.edits for row in edit.lines)
    least = min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)
    shown = (f"  {row[least:].expandtabs(4).rstrip()}" for row in rows if row.strip())
    return "\n".join([f"{words}:", *shown])


_UNKNOWN = frozenset({("cloudflare-bulk", 303)})  # Cloudflare: Bulk Redirects, parameters


def status(place: Place, wanted: int, words: str = "") -> Remedy:
    """Another status."""
    say = words or f"Answer {wanted} instead of {place.rule.status}"
    if (place.layer.dialect, wanted) in _UNKNOWN:
        return Remedy(say)
    return Remedy(say, edits.status(place, wanted))


def removed(place: Place) -> Remedy:
    """The rule taken out; what goes is shown."""
    done = edits.removal(place)
    rows = tuple(row for edit in done for row in _old(place, edit.span.line, edit.count))
    return Remedy("Take the line out" if len(rows) < 2 else "Take the lines out", done, rows)


def _old(place: Place, first: int, count: int) -> list[str]:
    return lines_of(place.layer, place.rule.span.file)[first - 1 : first - 1 + count]


def ahead(place: Place, other: Rule) -> Remedy:
    """The rule moved ahead of the one that hides it."""
    done = edits.ahead(place, other)
    rows = done[0].lines if done else ()
    return Remedy(f"Move it ahead of line {other.span.line}", done, rows)


def https(place: Place) -> Remedy:
    """The scheme of the Location made https."""
    written = edits.replaced(place, "http://", "https://")
    return Remedy("Say https", written or edits.key_of_scheme(place))


def replaced(place: Place, old: str, new: str, words: str) -> Remedy:
    """A text of the rule's lines replaced."""
    return Remedy(words, edits.replaced(place, old, new))


# How a language lets a path pass ahead of a rule: lines before it, or words at the end of its line.
_PASSING: dict[str, tuple[str, ...]] = {
    "netlify": ("{0}* {0}:splat 200",),
    "native": ("[[rule]]", 'name = "{1}"', 'pattern = "{0}*"', "pass = true", ""),
    "netlify-toml": ("[[redirects]]", '  from = "{0}*"', '  to = "{0}:splat"', "  status = 200", ""),
    "nginx": ("location ^~ {0} {{ root /var/www; }}",),
}


def passing(place: Place, path: str, name: str, words: str) -> Remedy:
    """Let what begins with `path` pass, ahead of the rule."""
    dialect, row = place.layer.dialect, place.text
    if dialect == "apache" and row.lower().startswith("rewriterule"):
        rule = f"RewriteRule ^/?{path.strip('/').replace('.', chr(92) + '.')}/ - [L]"
        return Remedy(words, edits.before(place, rule))
    if dialect == "nginx" and not row.startswith("location"):
        return Remedy(words)
    lines = (line.format(path, name) for line in _PASSING.get(dialect, ()))
    found = tuple(lines)
    return Remedy(words, edits.before(place, *found) if found else ())
