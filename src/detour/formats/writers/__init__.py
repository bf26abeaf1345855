"""Every language that rules are written in, one row each. To add one: a file with `write`, and a row here."""

from __future__ import annotations

import msgspec

from detour.formats.writers import (
    apache,
    caddy,
    cloudflare_bulk,
    envoy,
    gateway_api,
    haproxy,
    native,
    netlify,
    nginx,
    traefik,
    vercel,
)
from detour.formats.writers.writing import Write


class Writer(msgspec.Struct, frozen=True):
    """A language that rules are written in: the name of its dialect, as people say it, and how."""

    name: str
    title: str
    write: Write


WRITERS: tuple[Writer, ...] = (
    Writer("nginx", "nginx", nginx.write),
    Writer("apache", "Apache httpd", apache.write),
    Writer("haproxy", "HAProxy", haproxy.write),
    Writer("caddy", "Caddyfile", caddy.write),
    Writer("envoy", "Envoy", envoy.write),
    Writer("traefik", "Traefik", traefik.write),
    Writer("gateway-api", "Kubernetes Gateway API", gateway_api.write),
    Writer("netlify", "Netlify _redirects", netlify.write),
    Writer("vercel", "vercel.json", vercel.write),
    Writer("cloudflare-bulk", "Cloudflare bulk redirects", cloudflare_bulk.write),
    Writer("native", "Detour rule file", native.write),
)


def writer_for(name: str) -> Writer | None:
    """The writer of that name."""
    return next((writer for writer in WRITERS if writer.name == name), None)
