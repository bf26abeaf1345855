"""HAProxy configurations for the tests, and the requests that are asked of each."""

from __future__ import annotations

DEFAULTS = """defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 10s
"""

RULES = """frontend door
  bind 127.0.0.1:80
  acl old path_beg /old/
  acl api path_beg -i /api
  acl www hdr_beg(host) www.
  acl acme path_beg /.well-known/acme-challenge/ /health
  acl post method POST PUT
  http-request deny if { path /denied }
  http-request redirect location /here code 307 if { path /a } or { path /b }
  http-request redirect location /never if { path /denied }
  http-request redirect location /here%[path] code 308 if old post
  http-request redirect prefix https://other.example.test code 301 if { path_beg /prefix }
  http-request redirect prefix https://apex.example.test drop-query append-slash if { path_beg /slash }
  http-request redirect location https://%[hdr(host)]%[capture.req.uri] code 301 if { path /uri } !post
  http-request redirect location https://m.example.test/?%[query] if { url_param(m) 1 }
  http-request redirect location /key if { req.hdr(x-key) open }
  http-request redirect location /cookie if { req.cook(seen) yes }
  http-request redirect prefix https://bare.example.test if www
  http-request return status 303 hdr location /seen if { path /return }
  redirect scheme https code 308 if !{ ssl_fc } !acme api
"""

BACKENDS = """frontend door
  bind 127.0.0.1:80
  use_backend files if { path_beg /files }
  use_backend host if { hdr(host) -i shop.example.test }
  default_backend rest
backend files
  http-request redirect location /new%[path] code 307 if { path_end .html }
backend host
  redirect prefix https://www.shop.example.test code 301
backend rest
  acl kept path_beg /keep
  http-request redirect location https://rest.example.test/ code 303 unless kept or { method POST }
"""

MAPS = """frontend door
  bind 127.0.0.1:80
  http-request redirect location %[path,map({folder}/paths.map)] code 301 if { path,map({folder}/paths.map) -m found }
  http-request redirect location https://%[hdr(host),lower,map({folder}/hosts.map)]%[path] code 308 if { hdr(host),map({folder}/hosts.map) -m found }
  http-request redirect location %[path,map_beg({folder}/starts.map)] code 302 ignore-empty if { path_beg /s }
  http-request redirect location /listed if { path -f {folder}/paths.lst }
  http-request set-var(txn.where) path
  http-request redirect location /var%[var(txn.where)] if { path_sub var }
"""  # noqa: E501
MAP_FILES = {
    "paths.map": "# moved\n/m1 /one\n/m2 https://x.example.test/two?a=1\n",
    "hosts.map": "old.example.test new.example.test\n",
    "starts.map": "/s/ /short\n/s/long/ /long\n",
    "paths.lst": "/listed-1\n/listed-2\n",
}

CONFIGURATIONS = {"rules": RULES, "backends": BACKENDS, "maps": MAPS}

PATHS = """/ /a /a?x=1 /b /c /denied /old /old/ /old/a%20b?x=1 /prefix /prefixed/x?y=2 /slash /slash/ /slash/a?b=1 /uri?z=9
/any?m=1 /any?m=2 /return /api/x?y=1 /API/x /health /.well-known/acme-challenge/t /files/a.html /files/a.txt /files
/keep /kept /ke /m1 /m1?q=1 /m2 /m3 /s /s/ /s/x /s/long/x /s/long /listed-1 /listed-3 /x/var/y?b=1""".split()  # noqa: E501, SIM905
HOSTS = ("h.example.test", "www.example.test", "shop.example.test", "old.example.test")


def requests() -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Every path for every host by three methods, and some fields."""
    fields = ((), (("x-key", "open"),), (("cookie", "a=b; seen=yes"),))
    plain = [
        (method, f"http://{host}{path}", ())
        for host in HOSTS
        for path in PATHS
        for method in ("GET", "POST", "DELETE")
    ]
    return plain + [("GET", "http://h.example.test/c", one) for one in fields[1:]]
