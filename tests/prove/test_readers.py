"""`detour convert CONFIGURATION --prove`: a program with its own configuration, and what was read of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.examples.running import plain_environment, program

NGINX = r"""
user nobody;
events { worker_connections 64; }
http {
    map $http_host $where { default https://new.example; www.example.com https://other.example; }
    server {
        listen 80 default_server;
        server_name _;
        location = /old { return 301 /new; }
        location /app/ { proxy_pass http://127.0.0.1:9; }
        location ~ ^/blog/(\d+)$ { return 302 $where/posts/$1; }
        location / { rewrite ^/x/(.*)$ /y/$1 permanent; return 307 https://$host$request_uri; }
    }
}
"""
APACHE = r"""
Redirect 308 /v1 https://api.example/v2
RedirectMatch 302 "^/img/(.*)\.gif$" "/pictures/$1.png"
RewriteEngine On
RewriteCond %{HTTP_HOST} ^www\.(.+)$ [NC]
RewriteRule ^/(.*)$ https://%1/$1 [R=301,L]
RewriteRule ^/old/([a-z]+)$ /new/$1 [R=307,L]
"""
HAPROXY = """
frontend door
    bind :80
    acl old path_beg /old/
    http-request redirect prefix https://new.example code 307 if old
    http-request redirect location /login code 303 if { path /secret } { method POST }
    http-request redirect scheme https code 308 if { hdr(host) -i shop.example }
    http-request return status 404
"""


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("server", "dialect", "text"),
    [("nginx", "nginx", NGINX), ("apache2", "apache", APACHE), ("haproxy", "haproxy", HAPROXY)],
)
def test_a_configuration_is_read_as_its_program_reads_it(
    server: str, dialect: str, text: str, tmp_path: Path
) -> None:
    program(server)
    file = tmp_path / "configuration"
    file.write_text(text)
    words = ("convert", str(file), "--prove", "--json")
    done = subprocess.run(
        [program("detour"), *words], capture_output=True, text=True, env=plain_environment(), timeout=80
    )
    told = json.loads(done.stdout)
    assert (told["dialect"], told["not_understood"]) == (dialect, [])
    differences = [one for one in told["proof"]["differences"] if not one["why"]]
    assert differences == []
    assert told["proof"]["redirects"] > 20
    assert done.returncode == 0


def test_a_server_that_does_not_start_says_why_in_one_line(tmp_path: Path) -> None:
    program("nginx")
    file = tmp_path / "nginx.conf"
    file.write_text("server { listen 80; location / { return 301 /new; } unknown_directive on; }\n")
    done = subprocess.run(
        [program("detour"), "convert", str(file), "--from", "nginx", "--prove"],
        capture_output=True,
        text=True,
        env=plain_environment(),
        timeout=60,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "nginx does not start with this configuration" in line
    assert "unknown_directive" in line
