"""Where the checks that the field notes' vendor rules ask for fire, and where they must not."""

from __future__ import annotations

HSTS = 'headers = { Strict-Transport-Security = "max-age=9" }'


def haproxy(rule: str) -> str:
    return f"frontend f\n  bind :80\n  {rule}\n"


def native(pattern: str, location: str, fields: str = "") -> str:
    return f'[[rule]]\nname = "r"\npattern = "{pattern}"\nlocation = "{location}"\n{fields}\n'


# check: (dialect, text in which it fires, near miss)
VENDOR: dict[str, tuple[str, str, str]] = {
    "websocket-redirect": (
        "haproxy",
        haproxy("http-request redirect location /b code 307 if { hdr(upgrade) -i websocket }"),
        haproxy("http-request redirect location /b code 307 if { hdr(upgrade) -i h2c }"),
    ),
    "hsts-contradicted": (
        "native",
        native("http://a.example/*", "https://a.example/{0}", HSTS),
        native("https://a.example/*", "https://b.example/{0}", HSTS),
    ),
    "double-slash-location": (
        "haproxy",
        haproxy("http-request redirect location %[path]/ code 308 if !{ path_end / }"),
        haproxy("http-request redirect location /a%[path]/ code 308 if !{ path_end / }"),
    ),
}
