"""Nothing unsafe unasked: origins that record what reaches them, and every way of asking there is.

Asked for is what `-X` or `-d` says, at that origin; a method written in a contract, at the origins its table
names; and everything with `--send` (contract, *Consent*). An origin is scheme, host and port: here stand one,
the same one under another name, another port, and one behind TLS, each redirecting to each.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from detour.cli.main import _run
from detour.core.policy import POLICIES
from detour.core.url import URL
from tests.cli.test_trace import answering, redirect
from tests.net.origin import Origin, origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"}  # RFC 9110 §9.2.1, RFC 10008
WHERE = ("near", "named", "far", "tls")
STATUSES = (301, 302, 303, 307, 308)


class Arrival(msgspec.Struct, frozen=True):
    """A request that reached somebody: `place` is the origin it was addressed to."""

    method: str
    place: str


class Places:
    """The origins of one test, and what reached them."""

    def __init__(self) -> None:
        self.origins: dict[str, Origin] = {}

    def url(self, place: str, path: str = "/") -> str:
        host = "localhost" if place == "named" else "127.0.0.1"
        return str(self.origins["near" if place == "named" else place].url(path, host))

    def answer(self, _method: str, target: str) -> bytes:
        """`/307/far/302/near` redirects to /302/near at `far` with 307, and so on."""
        steps = target.partition("?")[0].strip("/").split("/")
        if len(steps) < 2 or steps[0] not in map(str, STATUSES) or steps[1] not in WHERE:
            return OK
        return redirect(int(steps[0]), self.url(steps[1], "/" + "/".join(steps[2:])))

    def arrivals(self) -> list[Arrival]:
        """What reached anybody since the last call."""
        found = []
        for place, seen in self.origins.items():
            while seen.heads:
                line, *lines = seen.heads.pop(0).decode("latin-1").split("\r\n")
                host = next(line[5:].strip() for line in lines if line.lower().startswith("host:"))
                named = place == "near" and host.startswith("localhost")
                found.append(Arrival(line.split(" ")[0], "named" if named else place))
        return found


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    made = Places()
    talk = answering(made.answer)
    with origin(talk) as near, origin(talk) as far, origin(talk, tls=tls) as secure:
        made.origins = {"near": near, "far": far, "tls": secure}
        yield made


def detour(*arguments: str) -> tuple[int, str]:
    """A command in this process: its exit status, and what it printed."""
    out = io.StringIO()
    typed = patch.object(sys, "argv", ["detour", *arguments])
    with typed, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = _run()
    return status, out.getvalue()


def unsafe(arrivals: Sequence[Arrival]) -> set[Arrival]:
    return {one for one in arrivals if one.method not in SAFE}


def flattened(chosen: Sequence[Sequence[str]]) -> list[str]:
    return [word for flag in chosen for word in flag]


# -- what is not asked for

STEPS = st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(WHERE)), max_size=4)
PATHS = STEPS.map(lambda steps: "/" + "/".join(f"{status}/{place}" for status, place in steps))
PATHS_AND_QUERIES = st.tuples(PATHS, st.sampled_from(("", "?next=/x", "?a=1&url=b"))).map("".join)

# Flags that both commands know. None of them asks for anything.
COMMON = [
    *(("--policy", name) for name in POLICIES),
    *(("--max-hops", hops) for hops in ("0", "2", "50")),
    *(("--guard", mode) for mode in ("off", "strict")),
    *(("--fail-on", severity) for severity in ("note", "never")),
    *(("-H", field) for field in ("X-A: 1", "Content-Type: text/plain", "Expect: 100-continue", "Accept:")),
    *((flag,) for flag in ("--insecure", "--http1.1", "--http2", "--json")),
    ("--resolve", "localhost:1:127.0.0.1"),
    ("--timeout", "5"),
]
UNSAFE_ONLY = (("--methods", "PUT,PATCH"), ("--methods", "BREW,PURGE"))
LOOKS = [
    *(("--methods", names) for names in ("all", "GET,POST,DELETE")),
    *UNSAFE_ONLY,
    *(("--preflight", who) for who in ("https://page.test", "null")),
    *(("--format", name) for name in ("text", "sarif", "junit", "markdown", "html")),
    *((flag,) for flag in ("--probe-open", "--expect", "--curl")),
    *(("-b", cookie) for cookie in ("sid=1",)),
    ("-u", "me:secret"),
    ("-H", "Access-Control-Request-Method: DELETE"),
    ("-H", "X-HTTP-Method-Override: DELETE"),
]


def flags(known: Sequence[Sequence[str]]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(known), max_size=6, unique_by=lambda flag: flag[0]).map(flattened)


@settings(max_examples=200)
@given(PATHS_AND_QUERIES, st.sampled_from(WHERE), flags([*COMMON, *LOOKS]))
def test_a_trace_sends_nothing_unsafe_unasked(places: Places, path: str, place: str, told: list[str]) -> None:
    detour("trace", places.url(place, path), *told)
    assert unsafe(places.arrivals()) == set()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("look", [(), *LOOKS], ids=" ".join)
def test_no_look_with_anybody_s_eyes_is_unsafe_and_most_send_something(
    places: Places, policy: str, look: tuple[str, ...]
) -> None:
    """The product that matters most, whole: the property above samples it."""
    status = 2
    for code, place in itertools.product((303, 307), WHERE):
        status, _ = detour(
            "trace", places.url("near", f"/{code}/{place}/307/near"), "--policy", policy, "-k", *look
        )
    arrivals = places.arrivals()
    assert unsafe(arrivals) == set()
    assert (status == 2) is (look == ("--expect",))
    assert bool(arrivals) is (status != 2 and look not in UNSAFE_ONLY)


# -- what was typed

TYPED = (
    ("-X", "POST"),
    ("-X", "DELETE"),
    ("-X", "BREW"),
    ("-X", "PURGE"),
    ("-d", "a=1"),
    ("-X", "PUT", "-d", "a=1"),
    ("-X", "QUERY", "-d", "a=1"),
    ("-X", "GET", "-d", "a=1"),
)


@settings(max_examples=200)
@given(PATHS_AND_QUERIES, st.sampled_from(WHERE), st.sampled_from(TYPED), flags([*COMMON, *LOOKS]))
def test_what_was_typed_reaches_its_own_origin_alone(
    places: Places, path: str, place: str, typed: tuple[str, ...], told: list[str]
) -> None:
    detour("trace", places.url(place, path), *typed, *told)
    arrivals = places.arrivals()
    assert {one.place for one in unsafe(arrivals)} <= {place}
    if {"--methods", "--preflight"} & set(told):  # other requests than the typed one are asked for
        assert unsafe(arrivals) == set()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("place", WHERE[1:])
@pytest.mark.parametrize("before", ["", "/307/near"])
def test_a_typed_post_stops_where_the_origin_changes(
    places: Places, policy: str, place: str, before: str
) -> None:
    url = places.url("near", f"{before}/307/{place}/200")
    status, told = detour("trace", url, "-d", "a=1", "--policy", policy, "--json", "-k")
    arrivals = places.arrivals()
    assert {one.place for one in arrivals} == {"near"}
    assert [one.method for one in arrivals] == ["POST"] * (2 if before else 1)
    assert (json.loads(told)["end"], status) == ("needs-consent", 0)


def test_send_is_what_asks_for_more(places: Places) -> None:
    """Without this, the properties above would hold for a program that sends nothing."""
    url = places.url("near", "/307/far/307/tls/307/named")
    detour("trace", url, "-d", "a=1", "-k", "--send")
    assert {one.place for one in unsafe(places.arrivals())} == set(WHERE)
    detour("trace", places.url("near"), "--methods", "all", "--send")
    assert {one.method for one in unsafe(places.arrivals())} == {"POST", "PUT", "PATCH", "DELETE"}


# -- lists and contracts

CHECKS = [
    *(("--retries", count) for count in ("0", "1")),
    *(("--format", name) for name in ("text", "sarif", "junit", "markdown", "html")),
    *(("--at-once", count) for count in ("1", "64")),
    ("--per-host", "1"),
    ("--rate", "10000"),
    ("--record",),
]


def sitemap(urls: Sequence[str]) -> str:
    locs = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'


LISTS: dict[str, Callable[[Sequence[str]], str]] = {
    "urls.txt": lambda urls: "".join(f"{url}\n" for url in urls),
    "moves.csv": lambda urls: "old,new,status\n" + "".join(f"{url},{url}x,307\n" for url in urls),
    "sitemap.xml": sitemap,
}


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(WHERE), PATHS), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from(sorted(LISTS)), min_size=1, max_size=3, unique=True),
    flags([*COMMON, *CHECKS]),
    st.booleans(),
)
def test_lists_ask_for_nothing_unsafe(
    places: Places, listed: list[tuple[str, str]], names: list[str], told: list[str], resumed: bool
) -> None:
    urls = [places.url(place, path) for place, path in listed]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = [written(folder, name, LISTS[name](urls)) for name in names]
        resume = ["--resume", str(folder / "journal")] if resumed and "--record" not in told else []
        for _ in range(2 if resumed else 1):
            detour("check", *files, *told, *resume)
    assert unsafe(places.arrivals()) == set()


RULES = """
[[rule]]
name     = "orders"
pattern  = "/v1/*"
location = "/v2/{0}"
[[rule.expect]]
request  = "METHOD http://shop.test/v1/7"
location = "/v2/7"
"""


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "told", [(), ("--record",), ("--retries", "1", "--json"), ("--policy", "curl-follow")]
)
def test_unsafe_examples_of_rule_files_are_skipped_unless_sent(
    places: Places, tmp_path: Path, method: str, told: tuple[str, ...]
) -> None:
    file = written(tmp_path, "detours.toml", RULES.replace("METHOD", method))
    detour("check", file, "--origin", places.url("near"), *told)
    assert places.arrivals() == []
    detour("check", file, "--origin", places.url("near"), *told, "--send")
    assert {one.method for one in places.arrivals()} == {method}


class Table(msgspec.Struct, frozen=True):
    """A `[[request]]`: where it is asked, how, and what else it names."""

    place: str
    path: str
    method: str
    named: str  # the place in `end`; "" for none
    rows: bool  # whether the method stands in a row, too

    def text(self, places: Places) -> str:
        lines = ["[[request]]", f'url = "{places.url(self.place, self.path)}"']
        lines += [f'method = "{self.method}"'] if self.method else []
        lines += ['content = "hi"'] if self.method in ("", "POST", "PUT") else []
        lines += [f'end = "{places.url(self.named)}"'] if self.named else []
        lines += ["[[request.row]]", 'methods = ["DELETE", "GET"]', "status = 307"] if self.rows else []
        return "\n".join([*lines, ""])


TABLES = st.builds(
    Table,
    st.sampled_from(WHERE),
    PATHS,
    st.sampled_from(("", "GET", "POST", "DELETE", "PUT", "BREW")),
    st.sampled_from(("", *WHERE)),
    st.booleans(),
)


@settings(max_examples=120)
@given(TABLES, flags([*COMMON, *CHECKS]))
def test_a_contract_asks_for_its_methods_at_the_origins_it_names(
    places: Places, table: Table, told: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as made:
        detour("check", written(Path(made), "contract.toml", table.text(places)), *told)
    arrivals = unsafe(places.arrivals())
    assert {one.place for one in arrivals} <= {table.place, table.named}
    methods = {table.method or "POST", *(["DELETE"] if table.rows else [])}
    assert {one.method for one in arrivals} <= methods


def test_what_a_contract_writes_is_sent(places: Places, tmp_path: Path) -> None:
    table = Table("near", "/307/far/307/tls", "POST", "far", True)
    file = written(tmp_path, "contract.toml", table.text(places))
    detour("check", file, "-k", "--json")
    reached = unsafe(places.arrivals())
    assert {Arrival("DELETE", "near"), Arrival("POST", "far")} & reached
    assert "tls" not in {one.place for one in reached}


def test_a_recorded_har_is_explained_and_nothing_is_sent(places: Places, tmp_path: Path) -> None:
    url = URL.parse(places.url("near", "/307/far"))
    entry = {
        "startedDateTime": "2026-11-24T00:00:00Z",
        "request": {"method": "POST", "url": str(url), "headers": [], "postData": {"text": "a=1"}},
        "response": {"status": 307, "headers": [{"name": "Location", "value": "/x"}], "content": {}},
    }
    file = written(tmp_path, "a.har", json.dumps({"log": {"entries": [entry]}}))
    for told in ((), ("--send",), ("--curl",), ("-d", "a=1"), ("-X", "POST"), ("--probe-open",)):
        detour("trace", "--har", file, *told)
    assert places.arrivals() == []
