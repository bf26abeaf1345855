"""Traefik's dynamic configurations for the tests, its static one, and the requests asked of each."""

from __future__ import annotations

from collections.abc import Iterable

_SERVICE = "  services: {app: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}\n"


def _configuration(routers: Iterable[tuple[str, str]], middlewares: str) -> str:
    """Routers by rule and middlewares, in one file."""
    listed = "".join(
        f"    r{number}: {{rule: '{rule}', service: app, middlewares: [{used}]}}\n"
        for number, (rule, used) in enumerate(routers)
    )
    return f"http:\n  routers:\n{listed}  middlewares:\n{middlewares}{_SERVICE}"


RULES = _configuration(
    [
        ("Host(`a.test`)", "to-a"),
        ("Host(`a.test`) && PathPrefix(`/p`)", "to-p"),
        ("Host(`a.test`) && Path(`/kept`)", ""),
        ("HostRegexp(`^.+\\.b\\.test$`)", "to-b"),
        ("Host(`c.test`) || (Host(`d.test`) && !PathPrefix(`/not`))", "to-c"),
        ("PathRegexp(`^/n/[0-9]+$`)", "to-n"),
        ("Host(`m.test`) && (Method(`POST`) || Method(`DELETE`))", "to-m"),
        ("Host(`h.test`) && Header(`X-A`, `1`)", "to-h"),
        ("Host(`q.test`) && Query(`a`, `1`)", "to-q"),
        ("Host(`s.test`)", "chained"),
        ("Host(`strip.test`) && PathPrefix(`/api`)", "strip, secure"),
    ],
    "".join(
        f"    to-{name}: {{redirectRegex: {{regex: '^https?://[^/]+/(.*)', replacement: 'http://to-{name}.test/$1'}}}}\n"
        for name in "apbcnmhq"
    )
    + "    secure: {redirectScheme: {scheme: https, permanent: true}}\n"
    "    strip: {stripPrefix: {prefixes: [/api]}}\n"
    "    chained: {chain: {middlewares: [inner]}}\n"
    "    inner: {chain: {middlewares: [secure]}}\n",
)

_EXPRESSIONS = [
    ("www.a.test", r"^https?://www\.(.*)", "https://${1}"),
    ("b.test", r"^https?://b\.test(.*)$", "https://new.test$1"),
    ("c.test", r"^http://", "https://$1"),
    ("d.test", r"(https?)://[^/:]+(:[0-9]+)?/(.*)", "$1://example.test$2/$3"),
    ("e.test", r"^https?://e\.test/old/([^/]+)/(.*)$", "https://e.test/new/$2"),
    ("f.test", r"^https?://f\.test/old", "https://f.test/new"),
    ("g.test", r"^https?://g\.test/exact$", "https://g.test/only"),
    ("i.test", r"^https?://(.*)/end$", "https://$1/begin"),
    ("j.test", r"^https?://([^/]+)/drop/.*", "https://$1/dropped"),
    ("k.test", r"^https?://k\.test/q\?(.+)$", "https://k.test/query?own=1&$1"),
    ("l.test", r"^https?://l\.test(/.*)?$", "https://other.test$1"),
    ("n.test", r"^(?:http?:\/\/)(n)(\.test)(:\d+)(.*)$", "https://${1}bar$2:443$4"),
    ("o.test", r"^https?://o\.test/(a|b)/(.*?)/?$", "/rel/$1/$2"),
    ("p.test", r".*", "https://all.test/here"),
]
EXPRESSIONS = _configuration(
    [(f"Host(`{host}`)", f"m{number}") for number, (host, _, _) in enumerate(_EXPRESSIONS)],
    "".join(
        f"    m{number}: {{redirectRegex: {{regex: '{regex}', replacement: '{to}'}}}}\n"
        for number, (_, regex, to) in enumerate(_EXPRESSIONS)
    ),
)

FREE = _configuration(
    [("PathPrefix(`/w`)", "www"), ("PathPrefix(`/`)", "host, whole")],
    "    www: {redirectRegex: {regex: '^https?://www\\.([^/]+)/w/(.*)', replacement: 'https://$1/x/$2'}}\n"
    "    host: {redirectRegex: {regex: '^http://old-([a-z]+)\\.test/(.*)', replacement: 'http://$1.test/$2',"
    " permanent: true}}\n"
    "    whole: {redirectRegex: {regex: '^http://(.*)\\.gone\\.test/(.*)', replacement: 'http://$1.test/$2'}}\n",
)

CONFIGURATIONS = {"rules": RULES, "expressions": EXPRESSIONS, "free": FREE}

_HOSTS = {
    "rules": "a.test x.b.test b.test c.test d.test m.test h.test q.test s.test strip.test a.test:81",
    "expressions": " ".join(host for host, _, _ in _EXPRESSIONS) + " d.test:81 n.test:80 n.test:81",
    "free": "www.a.test www.a.test:81 old-x.test old-1.test x.gone.test y.x.gone.test",
}
_PATHS = {
    "rules": "/ /p /px?a=1 /kept /not/x /n/12 /n/x /q?a=1 /z?a=2&a=1 /api /api/x?y=1 /apix",
    "expressions": "/ /?x=1 /a /a?x=1 /old /old/a/b?x=1 /older?x=1 /exact /exact?x=1 /x/end /end"
    " /end?x=1 /drop/a?b=1 /q?a=1 /q /a/b /a/b/ /a/b/?x=1 /b/c/d?e=1",
    "free": "/ /w/ /w/a?b=1 /x/y?z=1 /wx",
}


def requests(name: str) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Every path for every host by three methods, and with a field."""
    return [
        (method, f"http://{host}{path}", fields)
        for host in _HOSTS[name].split()
        for path in _PATHS[name].split()
        for method in ("GET", "POST", "DELETE")
        for fields in ((), (("X-A", "1"),) if host == "h.test" else ())
    ]


READY = "/detour-is-ready"


def files(text: str, port: int, folder: str, more: str = "") -> dict[str, str]:
    """The static configuration, with one entry point on loopback, and the dynamic one, which tells when it is
    read: a router of its own redirects `READY`."""
    static = (
        f"entryPoints: {{web: {{address: '127.0.0.1:{port}'{more}}}}}\n"
        f"providers: {{file: {{filename: {folder}/dynamic.yaml, watch: false}}}}\n"
        "global: {checkNewVersion: false, sendAnonymousUsage: false}\nlog: {level: ERROR}\n"
    )
    ready = f"    ready: {{rule: 'Path(`{READY}`)', priority: 100000, service: app, middlewares: [ready]}}\n"
    to = "    ready: {redirectRegex: {regex: '.*', replacement: 'http://ready.test/'}}\n"
    made = text.replace("  routers:\n", f"  routers:\n{ready}", 1).replace(
        "  middlewares:\n", f"  middlewares:\n{to}", 1
    )
    return {"traefik.yaml": static, "dynamic.yaml": made}
