"""The lines of a remedy, written into the file: the finding is gone, and other requests get what they got.

Every fault is written by every writer; where a dialect is mostly written otherwise (HAProxy, Apache, nginx),
as people write it. What no line can mend says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.audit.checks import CHECKS, check_layers
from detour.audit.edits import applied
from detour.audit.finding import Finding
from detour.audit.remedies import NO_LINES, NO_LINES_OF
from detour.audit.survey import Survey
from detour.core.message import Request
from detour.errors import RuleError
from detour.formats.layer import Layer
from detour.formats.writers import WRITERS, writer_for
from detour.load import load_layer

NOW = 1_795_000_000.0  # 2026-11-18
MOST = 9  # findings of one check in one file: rules are written several times, once for each spelling

# check: lines of a `_redirects` file that have the fault; `/keep` must stay as it is.
KEEP = "/keep /kept 307\n"
FAULTS: dict[str, str] = {
    "method-loss": "/api/x /to/x 302\n",
    "shadowed-rule": "/a/* /b/:splat 307\n/a/c /d 307\n",
    "duplicate-rule": "/a /b 307\n/a /c 307\n",
    "permanent-without-cache": "/a /b 308\n",
    "unused-capture": "/a/:x/:y /b/:y 307\n",
    "acme-redirect": "/.well-known/* https://b.example/ 307\n",
    "health-redirect": "/healthz /a 307\n",
    "credential-307": "/login https://b.example/login 307\n",
    "absolute-redirect-behind-tls": "https://a.example/a http://a.example/b 307\n",
    "scheme-downgrade": "https://a.example/a http://b.example/b 307\n",
    "encoded-slash-location": "/a /b%2Fc 307\n",
    "redirect-loop": "/a /b 307\n/b /a 307\n",
    "self-redirect": "/a /a 307\n",
    "long-chain": "/a /b 307\n/b /c 307\n/c /d 307\n/d /e 307\n",
    "internal-host-leak": "https://a.example/a https://10.0.0.7/a 307\n",
    "port-leak": "https://a.example/a https://a.example:8443/b 307\n",
    "grpc-redirect": "/shop.v1.Orders/Get /b 307\n",
}


def _frontend(*lines: str) -> str:
    return "frontend f\n    bind :443 ssl crt c.pem\n" + "".join(f"    http-request {one}\n" for one in lines)


def _server(*lines: str) -> str:
    inside = "".join(f"        {one}\n" for one in lines)
    return f"events {{}}\nhttp {{\n    server {{\n        listen 443 ssl;\n{inside}    }}\n}}\n"


def _traefik(path: str, to: str) -> str:
    return f"""http:
  routers:
    r: {{rule: Path(`{path}`), service: s, middlewares: [m]}}
  middlewares:
    m: {{redirectRegex: {{regex: '^https?://[^/]+{path}$', replacement: '{to}'}}}}
  services:
    s: {{loadBalancer: {{servers: [{{url: http://127.0.0.1:1}}]}}}}
"""


def _redirect(to: str, path: str, code: str = " code 307") -> str:
    return f"redirect location {to}{code} if {{ path {path} }}"


# (check, dialect): as people write it.
WRITTEN: dict[tuple[str, str], str] = {
    ("method-loss", "apache"): "Redirect permanent /api/x /to/x\nRedirect 307 /keep /kept\n",
    ("shadowed-rule", "apache"): "RedirectMatch 307 ^/a/(.*)$ /b/$1\nRedirectMatch 307 ^/a/c$ /d\n",
    ("duplicate-rule", "apache"): "RedirectMatch 307 ^/a$ /b\nRedirectMatch 307 ^/a$ /c\n",
    ("permanent-without-cache", "apache"): "RedirectMatch 308 ^/a$ /b\n",
    ("acme-redirect", "apache"): "RedirectMatch 307 ^/\\.well-known/(.*)$ https://b.example/\n",
    ("health-redirect", "apache"): "RedirectMatch 307 ^/healthz$ /a\nRedirectMatch 307 ^/keep$ /kept\n",
    ("credential-307", "apache"): "RedirectMatch 307 ^/login$ https://b.example/login\n",
    ("absolute-redirect-behind-tls", "apache"): "RedirectMatch 307 ^/a$ http://host.example/b\n",
    ("scheme-downgrade", "apache"): "RedirectMatch 307 ^/a$ http://b.example/b\n",
    ("encoded-slash-location", "apache"): "RedirectMatch 307 ^/a$ /b%2Fc\n",
    ("redirect-loop", "apache"): "RedirectMatch 307 ^/a$ /b\nRedirectMatch 307 ^/b$ /a\n",
    ("self-redirect", "apache"): "RedirectMatch 307 ^/a$ /a\nRedirectMatch 307 ^/keep$ /kept\n",
    ("long-chain", "apache"): "".join(
        f"RedirectMatch 307 ^/{one}$ /{other}\n" for one, other in zip("abcd", "bcde", strict=True)
    ),
    ("unstated-status", "apache"): "Redirect /a /b\nRedirect 307 /keep /kept\n",
    ("method-loss", "haproxy"): _frontend(_redirect("/to", "/api/x", ""), _redirect("/kept", "/keep")),
    ("shadowed-rule", "haproxy"): _frontend(
        "redirect prefix /b code 307 if { path_beg /a/ }", _redirect("/d", "/a/c")
    ),
    ("duplicate-rule", "haproxy"): _frontend(_redirect("/b", "/a"), _redirect("/c", "/a")),
    ("permanent-without-cache", "haproxy"): _frontend(_redirect("/b", "/a", " code 308")),
    ("acme-redirect", "haproxy"): _frontend(
        "redirect location https://b.example/ code 307 if { path_beg /.well-known/ }"
    ).replace(":443 ssl crt c.pem", ":80"),
    ("internal-host-leak", "haproxy"): _frontend(_redirect("https://10.0.0.7/a", "/a")),
    ("internal-host-leak", "apache"): "RedirectMatch 307 ^/a$ https://10.0.0.7/a\n",
    ("port-leak", "haproxy"): _frontend(_redirect("https://host.example:8443/b", "/a")),
    ("port-leak", "apache"): "RedirectMatch 307 ^/a$ https://host.example:8443/b\n",
    ("grpc-redirect", "haproxy"): _frontend(_redirect("/b", "/shop.v1.Orders/Get"), _redirect("/c", "/keep")),
    ("grpc-redirect", "apache"): "RedirectMatch 307 ^/shop\\.v1\\.Orders/Get$ /b\nRedirect 307 /c /d\n",
    ("health-redirect", "nginx"): _server("location = /healthz { return 307 /a; }"),
    ("credential-307", "traefik"): _traefik("/login", "https://b.example/login"),
    ("encoded-slash-location", "traefik"): _traefik("/a", "https://b.example/b%2Fc"),
    ("health-redirect", "traefik"): _traefik("/healthz", "https://b.example/"),
    ("status-by-method", "traefik"): _traefik("/a", "https://b.example/"),
    ("health-redirect", "haproxy"): _frontend(_redirect("/a", "/healthz"), _redirect("/kept", "/keep")),
    ("credential-307", "haproxy"): _frontend(_redirect("https://b.example/login", "/login")),
    ("absolute-redirect-behind-tls", "haproxy"): _frontend(_redirect("http://host.example/b", "/a")),
    ("scheme-downgrade", "haproxy"): _frontend(_redirect("http://b.example/b", "/a")),
    ("encoded-slash-location", "haproxy"): _frontend(_redirect("/b%%2Fc", "/a")),
    ("redirect-loop", "haproxy"): _frontend(_redirect("/b", "/a"), _redirect("/a", "/b")),
    ("self-redirect", "haproxy"): _frontend(_redirect("/a", "/a"), _redirect("/kept", "/keep")),
    ("long-chain", "haproxy"): _frontend(
        *(_redirect(f"/{other}", f"/{one}") for one, other in zip("abcd", "bcde", strict=True))
    ),
    ("unstated-status", "haproxy"): _frontend(_redirect("/b", "/a", ""), _redirect("/kept", "/keep")),
    ("dropped-query", "nginx"): _server("location /a/ { return 307 https://b.example$uri; }"),
    ("decoded-path-location", "nginx"): _server("location /a/ { return 307 https://b.example$uri; }"),
    ("implicit-slash", "nginx"): _server("location /a/ { proxy_pass http://127.0.0.1:1; }"),
    ("acme-redirect", "nginx"): _server(
        "location /.well-known/ { return 307 https://b.example/; }"
    ).replace("443 ssl", "80"),
    ("method-loss", "nginx"): _server(
        "rewrite ^/api/x$ /to/x permanent;", "location = /keep { return 307 /kept; }"
    ),
    ("unstated-status", "caddy"): "a.example {\n\tredir /a /b\n\tredir /keep /kept 307\n}\n",
    ("overstayed", "native"): (
        '[[rule]]\nname = "a"\npattern = "/a"\nlocation = "/b"\nuntil = 2020-01-01T00:00:00Z\n'
    ),
    ("dropped-query", "native"): (
        '[[rule]]\nname = "a"\npattern = "/a/*"\nlocation = "/b/{0}"\nquery = "drop"\n'
    ),
    ("credentials-in-location", "netlify"): "/a https://u:p@b.example/ 307\n" + KEEP,
    ("credentials-in-location", "apache"): "RedirectMatch 307 ^/a$ https://u:p@b.example/\n",
    ("credentials-in-location", "nginx"): _server("location = /a { return 307 https://u:p@b.example/; }"),
    ("unsupported-status", "nginx"): _server("location = /a { return 305 /b; }"),
    ("unsupported-status", "netlify"): "/a /b 305\n" + KEEP,
}  # fmt: skip


def read(folder: Path, dialect: str, text: str) -> Layer:
    file = folder / ("file.toml" if dialect in ("native", "netlify-toml") else "file")
    file.write_text(text)
    return load_layer(file, dialect=dialect)


def faulty(folder: Path, check: str, dialect: str) -> str:
    """The fault in a dialect: as people write it, else as its writer does."""
    if (check, dialect) in WRITTEN:
        return WRITTEN[check, dialect]
    writer = writer_for(dialect)
    assert writer is not None
    lines = FAULTS[check] + KEEP
    lines = hosted(lines) if dialect == "cloudflare-bulk" else lines
    return writer.write(read(folder, "netlify", lines).rules, NOW).text


def found(layer: Layer, check: str) -> list[Finding]:
    return [one for one in check_layers((layer,), NOW) if one.check == check]


def answers(layer: Layer, others: Layer, finding: Finding) -> list[tuple[str, int, str | None]]:
    """What `layer` answers to witnesses of the rules of `others` that the finding is not about."""
    touched = {edit.span.line + at for edit in finding.edits for at in range(max(edit.count, 1))}
    about = finding.witness.partition(" ")[2]
    urls = [
        url
        for place in Survey((others,), NOW).places
        for url in place.urls[:1]
        if place.rule.span.line not in touched and url != about
    ]
    decided = ((url, layer.ruleset.decide(Request.of("GET", url), NOW)) for url in urls)
    return [(url, decision.status, decision.location) for url, decision in decided]


def hosted(text: str) -> str:
    """The lines of one host: a bulk redirect names its host."""
    words = (line.split() for line in text.splitlines())
    return "".join(
        " ".join(f"https://a.example{word}" if word.startswith("/") else word for word in line) + "\n"
        for line in words
    )


# (check, dialect): why there is no such finding in what its writer writes.
UNREAD = "what is written for any host, `(?i:…)` in a group, is not read again"
TRAEFIK_READ = {*WRITTEN, *((check, "traefik") for check in FAULTS if FAULTS[check].startswith("https://"))}
NAMELESS = "what is captured has no name there"
SPECIAL_FIRST = "the more special one answers first, wherever it stands"
UNSEEN: dict[tuple[str, str], str] = {
    **{("unused-capture", name): NAMELESS for name in ("apache", "caddy", "envoy", "gateway-api")},
    **{("unused-capture", name): NAMELESS for name in ("haproxy", "nginx", "traefik", "cloudflare-bulk")},
    ("shadowed-rule", "nginx"): SPECIAL_FIRST,
    ("shadowed-rule", "gateway-api"): SPECIAL_FIRST,
    ("shadowed-rule", "traefik"): SPECIAL_FIRST,
    ("shadowed-rule", "cloudflare-bulk"): SPECIAL_FIRST,
    ("shadowed-rule", "caddy"): "both are expressions, and one sample of them says nothing",
    ("duplicate-rule", "nginx"): "nginx refuses the file",
    ("permanent-without-cache", "native"): "its reader refuses the file",
    ("port-leak", "vercel"): "a port in a destination is a parameter there: it is left out",
    ("acme-redirect", "cloudflare-bulk"): "it is written for https; authorities ask over http",
    **{(check, "traefik"): UNREAD for check in FAULTS if (check, "traefik") not in TRAEFIK_READ},
}

CASES = sorted({*WRITTEN, *((check, writer.name) for check in FAULTS for writer in WRITERS)})


@pytest.mark.parametrize(("check", "dialect"), CASES)
def test_the_lines_of_the_remedy_mend_the_file(check: str, dialect: str, tmp_path: Path) -> None:
    try:
        layer = read(tmp_path, dialect, faulty(tmp_path, check, dialect))
    except RuleError:
        pytest.fail("the fault cannot be written")
    before = len(layer.not_understood)
    assert bool(found(layer, check)) != ((check, dialect) in UNSEEN)
    for _ in range(MOST):
        findings = found(layer, check)
        if not findings or not findings[0].edits:
            break
        finding = findings[0]
        for edit in finding.edits:
            assert all(line.strip() in finding.remedy.expandtabs(4) for line in edit.lines[:1])
        [text] = applied(dict(layer.texts), finding.edits).values()
        mended = read(tmp_path, dialect, text)
        assert answers(mended, layer, finding) == answers(layer, layer, finding)
        layer = mended
    assert len(layer.not_understood) <= before
    for left in found(layer, check):
        assert left.edits == ()
        assert "No line can be written for it here: " in left.remedy
        assert (check, dialect) in NO_LINES or (check, "") in NO_LINES or dialect in NO_LINES_OF


def test_reasons_are_given_for_checks_and_dialects_that_are() -> None:
    assert {check for check, _ in NO_LINES} <= {check.name for check in CHECKS if check.over_rule}
