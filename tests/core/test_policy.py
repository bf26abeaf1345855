"""What each row of `POLICIES` does to method and content: expected by hand, then held against the clients."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Literal

import httpx
import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from detour.core.chain import Content, End, Outgoing
from detour.core.follower import Follower, Step
from detour.core.policy import CURL, FRAMING_FIELDS, GO, HTTPX, POLICIES, REQUESTS, Policy
from detour.core.url import URL

STATUSES = (301, 302, 303, 307, 308)

# `=` same method and content, `=0` same method without the content, `GET` without content,
# `!` not-replayable, `R` handed back. Written from the clauses that the rows name.
EXPECTED = """
               301  302  303  307  308
fetch
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         GET  GET  GET  =    =
  POST +       GET  GET  GET  =    =
  POST once    !    !    GET  !    !
  PUT +        =    =    GET  =    =
  PUT once     !    !    GET  !    !
  PATCH +      =    =    GET  =    =
  DELETE       =    =    GET  =    =
  OPTIONS      =    =    GET  =    =
  QUERY +      =    =    GET  =    =
rfc9110
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         =    =    GET  =    =
  POST +       =    =    GET  =    =
  POST once    !    !    GET  !    !
  PUT +        =    =    GET  =    =
  DELETE       =    =    GET  =    =
  QUERY +      =    =    GET  =    =
curl
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         =    =    =    =    =
  POST +       GET  GET  GET  =    =
  POST once    GET  GET  GET  !    !
  PUT +        =0   =0   =0   =    =
  PUT once     =0   =0   =0   !    !
  DELETE       =    =    =    =    =
  DELETE +     =0   =0   =0   =    =
  QUERY +      =0   =0   =0   =    =
curl-follow
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         =    =    GET  =    =
  POST +       GET  GET  GET  =    =
  PUT +        GET  GET  GET  =    =
  DELETE       =    =    GET  =    =
  QUERY +      GET  GET  GET  =    =
requests
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         GET  GET  GET  =    =
  POST +       GET  GET  GET  =    =
  POST once    GET  GET  GET  =0   =0
  PUT +        =0   GET  GET  =    =
  PUT once     =0   GET  GET  =0   =0
  DELETE       =    GET  GET  =    =
  DELETE +     =0   GET  GET  =    =
  OPTIONS      =    GET  GET  =    =
  QUERY +      =0   GET  GET  =    =
httpx
  GET          =    =    =    =    =
  HEAD         =    =    =    =    =
  POST         GET  GET  GET  =    =
  POST +       GET  GET  GET  =    =
  POST once    GET  GET  GET  !    !
  PUT +        =    GET  GET  =    =
  PUT once     !    GET  GET  !    !
  DELETE       =    GET  GET  =    =
  DELETE +     =    GET  GET  =    =
  OPTIONS      =    GET  GET  =    =
  QUERY +      =    GET  GET  =    =
go
  GET          =    =    =    =    =
  GET +        =0   =0   =0   =    =
  HEAD         =    =    =    =    =
  POST         GET  GET  GET  =    =
  POST +       GET  GET  GET  =    =
  POST once    GET  GET  GET  R    R
  PUT +        GET  GET  GET  =    =
  DELETE       GET  GET  GET  =    =
  OPTIONS      GET  GET  GET  =    =
  QUERY +      GET  GET  GET  =    =
"""
KINDS: dict[str, Content] = {"": "none", "+": "replayable", "once": "once"}
HERE = URL.parse("http://h.example/form")


def rows() -> Iterator[tuple[str, str, Content, int, str]]:
    policy = ""
    for line in EXPECTED.strip().splitlines()[1:]:
        if not line.startswith(" "):
            policy = line
            continue
        method, *kind = line[:15].split()
        for status, outcome in zip(STATUSES, line[15:].split(), strict=True):
            yield policy, method, KINDS["".join(kind)], status, outcome


ROWS = tuple(rows())


def outcome(request: Outgoing, came: Step | End) -> str:
    if isinstance(came, End):
        return {"not-replayable": "!", "not-followed": "R"}[came.name]
    after = came.request
    if after.method != request.method:
        return after.method if after.content == "none" else f"{after.method} with content"
    return "=" if (after.content == "none") == (request.content == "none") else "=0"


@pytest.mark.parametrize(("policy", "method", "content", "status", "expected"), ROWS)
def test_method_and_content_are_as_written(
    policy: str, method: str, content: Content, status: int, expected: str
) -> None:
    request = Outgoing(method, HERE, (), content)
    assert outcome(request, Follower(request, POLICIES[policy]).receive(status, ["/done"])) == expected


def test_every_policy_is_in_the_table_and_keyed_by_its_name() -> None:
    assert {row[0] for row in ROWS} == set(POLICIES)
    assert all(name == policy.name for name, policy in POLICIES.items())


@pytest.mark.parametrize(
    ("policy", "redirects"),
    [
        ("fetch", 20),
        ("rfc9110", 20),
        ("curl", 50),
        ("curl-follow", 50),
        ("requests", 30),
        ("httpx", 20),
        ("go", 9),  # ten requests in all
    ],
)
def test_one_more_redirect_than_the_limit_is_too_many(policy: str, redirects: int) -> None:
    follower = Follower(Outgoing("GET", HERE), POLICIES[policy])
    for number in range(redirects):
        step = follower.receive(307, [f"/{number}"])
        assert isinstance(step, Step)
        follower = step.follower
    assert getattr(follower.receive(307, ["/over"]), "name", "") == "too-many-hops"


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 309, 399, 404])
def test_only_curl_follows_what_is_no_redirect_status(status: int) -> None:
    request = Outgoing("POST", HERE, (), "replayable")
    for policy in POLICIES.values():
        came = Follower(request, policy).receive(status, ["/done"])
        if policy.name.startswith("curl") and 300 <= status < 400:
            assert outcome(request, came) == "="
        else:
            assert came == End("arrived")


# --- the clients themselves -------------------------------------------------------------------------------

Seen = tuple[str, dict[str, str], bytes]
FIELDS = (
    ("Authorization", "Bearer a"),
    ("Cookie", "c=1"),
    ("Proxy-Authorization", "Basic p"),
    ("X-Api-Key", "k"),
    ("Content-Type", "text/x"),
    ("Content-Language", "en"),
    ("Referer", "https://page.example/a?b"),
)
NAMES = frozenset(name.lower() for name, _ in FIELDS)
WHERE = ("same", "port", "host", "https", "up")
FROM = "http://h.example/form"
TO = {
    "same": "http://h.example/done",
    "port": "http://h.example:8080/done",
    "host": "http://sub.h.example/done",
    "https": "https://h.example:8443/done",
    "up": "https://h.example/done",
}


def told(policy: Policy, method: str, content: bytes, status: int, location: str) -> Seen:
    """What the row says that the client sends after the redirect."""
    request = Outgoing(method, URL.parse(FROM), FIELDS, "replayable" if content else "none")
    step = Follower(request, policy).receive(status, [location])
    assert isinstance(step, Step)
    after = step.request
    fields = {name.lower(): value for name, value in after.fields}
    return after.method, fields, content if after.content != "none" else b""


class Recorder(BaseAdapter):
    """The transport of requests, which answers the first request with a redirect."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__()
        self.status, self.location, self.seen = status, location, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.seen.append(request)
        response = requests.Response()
        first = len(self.seen) == 1
        response.status_code = self.status if first else 200
        response.headers["Location"] = self.location if first else ""
        response.request, response.url = request, str(request.url)
        response.raw = HTTPResponse(body=BytesIO(b""), preload_content=False)
        return response

    def close(self) -> None:
        """Nothing is open."""


GRID = [
    (status, method, content, where)
    for status in STATUSES
    for method, content in (("GET", b""), ("HEAD", b""), ("POST", b"x=1"), ("PUT", b"x=1"), ("DELETE", b""))
    for where in WHERE
]


@pytest.mark.parametrize(("status", "method", "content", "where"), GRID)
def test_requests_does_what_its_row_says(status: int, method: str, content: bytes, where: str) -> None:
    recorder = Recorder(status, TO[where])
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", recorder)
        session.mount("https://", recorder)
        session.request(method, FROM, headers=dict(FIELDS), data=content or None, allow_redirects=True)
    after = recorder.seen[1]
    fields = {name.lower(): value for name, value in after.headers.items() if name.lower() in NAMES}
    body = after.body if isinstance(after.body, bytes) else b""
    assert told(REQUESTS, method, content, status, TO[where]) == (after.method, fields, body)


@pytest.mark.parametrize(("status", "method", "content", "where"), GRID)
def test_httpx_does_what_its_row_says(status: int, method: str, content: bytes, where: str) -> None:
    seen = list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return (
            httpx.Response(status, headers={"Location": TO[where]}) if len(seen) == 1 else httpx.Response(200)
        )

    with httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True) as client:
        client.request(method, FROM, headers=dict(FIELDS), content=content or None)
    after = seen[1]
    fields = {name.lower(): value for name, value in after.headers.items() if name.lower() in NAMES}
    assert told(HTTPX, method, content, status, TO[where]) == (after.method, fields, after.content)


class Origin(BaseHTTPRequestHandler):
    """Redirects what asks for `/form` as its server says, and writes down everything."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Any method."""
        server: Any = self.server
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.seen.append((self.command, {k.lower(): v for k, v in self.headers.items()}, content))
        redirected = self.path == "/form"
        self.send_response(server.status if redirected else 200)
        if redirected:
            self.send_header("Location", server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_QUERY = answer

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def origin() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl")
@pytest.mark.parametrize("status", [300, *STATUSES])
@pytest.mark.parametrize("where", ["same", "host"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "QUERY"])
def test_curl_does_what_its_row_says(
    origin: Any, status: int, method: str, where: Literal["same", "host"]
) -> None:
    content = b"x=1" if method in ("POST", "PUT", "QUERY") else b""
    port = origin.server_port
    origin.status = status
    origin.location = "/done" if where == "same" else f"http://localhost:{port}/done"
    typed = ["-I"] if method == "HEAD" else ["-X", method] if method not in ("GET", "POST") else []
    fields = [part for name, value in FIELDS for part in ("-H", f"{name}: {value}")]
    data = ["-d", content.decode()] if content else []
    command = [
        "curl",
        "-q",
        "-s",
        "-L",
        "--noproxy",
        "*",
        "--max-time",
        "20",
        "-o",
        "-",
        *typed,
        *data,
        *fields,
    ]
    command += ["--resolve", f"localhost:{port}:127.0.0.1", f"http://127.0.0.1:{port}/form"]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    got, headers, body = origin.seen[1]
    seen = got, {name: value for name, value in headers.items() if name in NAMES}, body
    assert told(CURL, method, content, status, TO[where]) == seen


def test_framing_goes_with_the_content_under_every_policy() -> None:
    assert all(policy.content_fields >= FRAMING_FIELDS for policy in POLICIES.values())


def test_go_adds_the_url_before_as_referer_unless_one_was_written() -> None:
    start = URL.parse("http://u:p@h.example/a?b#c")
    step = Follower(Outgoing("GET", start), GO).receive(307, ["/done"])
    assert isinstance(step, Step)
    assert step.request.fields == (("Referer", "http://h.example/a?b#c"),)
    down = Follower(Outgoing("GET", URL.parse("https://h.example/")), GO).receive(307, ["http://h.example/"])
    assert isinstance(down, Step)
    assert down.request.fields == ()
