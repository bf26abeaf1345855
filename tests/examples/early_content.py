"""Content that is still on its way when the redirect has been sent: what becomes of it, counted."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.examples.cases import KIB, Case, verdict, write_content
from tests.examples.client_programs import CLIENTS, Client
from tests.examples.counting_relay import CountingRelay
from tests.examples.recipes import RECIPES
from tests.examples.running import PATIENCE, Detour, plain_environment, program
from tests.examples.staging import Stage

RECIPE = next(recipe for recipe in RECIPES if recipe.name == "start")
EARLY = Case("early POST", "POST", "text", 4096 * KIB)
EXPECTING = Case("early POST, Expect", "POST", "file", 4096 * KIB)

# Who sends 4 MiB, and how. A string, a file, a file after asking (curl from 1 MiB on), a publisher with h2c.
SENDERS = (
    ("Node fetch", EARLY, "a string"),
    ("requests", EARLY, "an open file"),
    ("curl", EARLY, "-H Expect: (content at once)"),
    ("curl", EXPECTING, "as it comes (Expect: 100-continue)"),
    ("java.net.http", EARLY, "a string, Upgrade: h2c"),
)

INNER = b"GET /v1/resource HTTP/1.1\r\nHost: inner.example.com\r\n\r\n"
UPGRADE = (
    b"POST /v1/resource HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
    b"Content-Type: message/http\r\nContent-Length: %d\r\n\r\n%s"
) % (len(INNER), INNER)


def client_named(name: str) -> Client:
    """The client of that name."""
    return next(client for client in CLIENTS if client.name == name)


def whole_posts(stage: Stage, client: Client, case: Case, count: int, tag: str) -> list[str]:
    """The verdicts on `count` POSTs of 4 MiB through the redirect."""
    url = f"{stage.detours[RECIPE.name].url}{RECIPE.path}"
    file = write_content(case, stage.folder)
    keys = [f"case={tag}-{number}." for number in range(count)]
    said = client.run([(case.method, f"{url}?{key}", case.kind, file) for key in keys], stage.certificate.ca)
    stage.origins["plain"].settle()
    return [
        verdict(case, file, one, stage.origins["plain"].arrivals(key))
        for key, one in zip(keys, said, strict=True)
    ]


def octets_sent_to_the_redirecting_server(detour: Detour, file: Path, *options: str) -> int:
    """Octets of content that curl sends before it follows; counted by a relay in front of Detour.

    It does not follow here, for the relay is to see everything it sends and no more.
    """
    with CountingRelay(detour.port) as relay:
        argv = [
            "curl",
            "--silent",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            "--max-time",
            "20",
        ]
        argv += [*options, "--data-binary", f"@{file}", f"{relay.url}/v1/resource"]
        ended = subprocess.run(
            argv, capture_output=True, text=True, timeout=PATIENCE + 10, env=plain_environment()
        )
        assert ended.stdout == "307", ended
        (passage,) = relay.passages
    return passage.content


def answers_to_an_upgrade_whose_content_is_a_request(detour: Detour, split: int = 0) -> int:
    """How many answers come back until the server closes; the request is sent in two pieces at `split`."""
    with socket.create_connection(("127.0.0.1", detour.port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(UPGRADE[:split])
        connection.sendall(UPGRADE[split:])
        return connection.makefile("rb").read().count(b"HTTP/1.1 ")


def require_curl() -> None:
    """Skip the test where there is no curl."""
    program("curl")
