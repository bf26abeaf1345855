"""Configurations as they are written every day, in which there is nothing to find."""

from __future__ import annotations

_NGINX = (
    "events {{}}\nhttp {{ {} server {{ listen 80; server_name a.example; absolute_redirect off; {} }} }}\n"
)
_TO_TLS = "return 301 https://$host$request_uri;"

# Layers that end TLS, send http to https, and tell the next one what was asked.
EDGES: dict[str, tuple[str, str]] = {
    "nginx": (
        "nginx",
        "events {}\nhttp {\n"
        "server { listen 80; server_name a.example; return 301 https://a.example$request_uri; }\n"
        "server { listen 443 ssl; server_name a.example; location / { proxy_pass http://app;"
        " proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto $scheme; } }\n}\n",
    ),
    "haproxy": (
        "haproxy",
        "frontend f\n  bind :80\n  bind :443 ssl crt c.pem\n"
        "  http-request redirect scheme https code 308 unless { ssl_fc }\n"
        "  http-request set-header X-Forwarded-Proto https\n  default_backend b\n"
        "backend b\n  server s 127.0.0.1:1\n",
    ),
}

# What stands behind one, and asks for that where it asks for the scheme at all.
APPLICATIONS: dict[str, tuple[str, str]] = {
    "nginx: if http": (
        "nginx",
        _NGINX.format(
            "",
            f'if ($http_x_forwarded_proto = "http") {{ {_TO_TLS} }} location = /healthz {{ return 200; }}'
            " location /old { return 308 /new$is_args$args; } location / { root /srv; }",
        ),
    ),
    "nginx: if not https": (
        "nginx",
        _NGINX.format(
            "",
            f'if ($http_x_forwarded_proto != "https") {{ {_TO_TLS} }} location / {{ root /srv; }}',
        ),
    ),
    "nginx: a map": (
        "nginx",
        _NGINX.format(
            "map $http_x_forwarded_proto $to { default 0; http 1; }",
            f"if ($to) {{ {_TO_TLS} }} location / {{ root /srv; }}",
        ),
    ),
    "Apache": (
        "apache",
        "<VirtualHost *:80>\nServerName https://a.example\nRewriteEngine On\n"
        "RewriteCond %{HTTP:X-Forwarded-Proto} =http\n"
        "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [L,R=308]\nRedirect 308 /old /new\n"
        "</VirtualHost>\n",
    ),
    "HAProxy": (
        "haproxy",
        "frontend f\n  bind :80\n"
        "  http-request redirect scheme https code 308 unless { hdr(x-forwarded-proto) https }\n",
    ),
    "Caddy": (
        "caddy",
        "http://a.example {\n  @plain header X-Forwarded-Proto http\n"
        "  redir @plain https://{host}{uri} 308\n  redir /old /new 308\n}\n",
    ),
    "Netlify": ("netlify", "/old /new 308\n/blog/* /posts/:splat 308\n"),
}
