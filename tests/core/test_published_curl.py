"""What curl's own tests send and expect after a redirect, held against the rows of curl.

A case is a command, the answers of its server and the requests that must come. Each request has to be the one
that the row makes of the answer before; curl's `%NAME` are replaced, and fields that curl writes by itself
(Host, its Content-Type) are not compared.
"""

from __future__ import annotations

import re
import shlex

import msgspec
import pytest

from detour.core.chain import End, Fields, Outgoing
from detour.core.follower import Follower, Step
from detour.core.policy import CURL, CURL_FOLLOW, Policy
from detour.core.url import URL
from tests.core.published import Case, Published, lines

CASES = lines("curl-redirect-tests/cases.jsonl")
pytestmark = pytest.mark.skipif(not CASES, reason="no curl-redirect-tests in $DETOUR_DATA")

REASONS = {
    "not-following": "nothing is followed, or by a program whose options the case does not tell",
    "no-requests": "the case does not tell which requests must come",
    "firstonly": "CURLFOLLOW_FIRSTONLY, which no option of the command sets",
    "proxy": "what ends the chain is said by the proxy",
}
_T = "a file sent with `-T` is a PUT by itself; the row reads `-X PUT -d`, as its note says"
_PLUS = "a space in a query: curl writes `+`, the URL standard `%20`"
DIFFERENCES: dict[object, str] = {
    40: _PLUS,
    663: _PLUS,
    1028: "curl follows to ftp:, which Detour does not speak",
    1051: _T,
    1052: _T,
    1056: "an IPv6 address with a zone: no URL by the URL standard",
    1142: "four slashes after the scheme: curl refuses, the URL standard skips them",
    1576: _T,
}
MACROS = {
    "%HOSTIP": "127.0.0.1",
    "%HOST6IP": "[::1]",
    "%HTTPPORT": "8990",
    "%HTTPSPORT": "8991",
    "%HTTP6PORT": "8994",
    "%FTPPORT": "8992",
    "%SOCKSPORT": "9050",
    "%AMP": "&",
    "%CR": "\r",
}
_REQUEST = re.compile(r"([A-Z]+) (\S+) HTTP/1\.[01]\r?\n((?:[A-Za-z-]+: .*\n?)*)")


def exclusion(case: Case) -> str | None:
    """The key of REASONS for which a case is not the rows'."""
    if case["n"] == 580:  # says what two Locations are to curl, following or not
        return None
    if not case["follows"]:
        return "not-following"
    if case["expected_requests"] is None:
        return "no-requests"
    if "FIRSTONLY" in case["name"]:
        return "firstonly"
    return "proxy" if case["expected_exit"] == 97 else None  # CURLE_PROXY


PUBLISHED = Published(CASES, exclusion, DIFFERENCES, lambda case: case["n"])


def plain(text: str, number: int) -> str:
    """A text of a test as curl's test suite makes it."""
    text = re.sub(r"%repeat\[(\d+) x (?:%20|(.))\]%", lambda found: (found[2] or " ") * int(found[1]), text)
    text = re.sub(
        r"%hex\[(.*?)\]hex%",
        lambda found: re.sub(
            "(?:%[0-9a-f]{2})+",
            lambda octets: bytes.fromhex(octets[0].replace("%", "")).decode(),
            found[1],
        ),
        text,
    )
    text = text.replace("%TESTNUMBER", str(number))
    for name, value in MACROS.items():
        text = text.replace(name, value)
    return text


def typed(case: Case) -> Fields:
    """The fields written with `-H`, Host apart."""
    words = shlex.split(case["command"])
    lines = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    fields = [tuple(line.split(": ", 1)) for line in lines]
    return tuple((name, value) for name, value in fields if name.lower() != "host")


def expected(case: Case) -> list[Outgoing]:
    """The requests that must come, the first one included."""
    text = plain(case["expected_requests"] or _alone(case), case["n"])
    return [_request(*found, typed(case)) for found in _REQUEST.findall(text)]


def _alone(case: Case) -> str:
    """The request of a case that tells none, because only its end matters."""
    path = case["command"].partition("%HTTPPORT")[2]
    return f"GET {path} HTTP/1.1\nHost: %HOSTIP:%HTTPPORT\n"


def _request(method: str, target: str, head: str, fields: Fields) -> Outgoing:
    lines = dict(line.rstrip("\r").split(": ", 1) for line in head.splitlines() if ": " in line)
    scheme = "https" if lines["Host"].endswith(":8991") else "http"
    url = target if target.startswith("http:") else f"{scheme}://{lines['Host']}{target}"
    has_content = "Content-Length" in lines or "Transfer-Encoding" in lines
    return Outgoing(method, URL.parse(url), fields, "replayable" if has_content else "none")


def answer(follower: Follower, case: Case) -> tuple[int, list[str]]:
    """What the test's server says: digits of the target choose the answer, or `swsbounce` does."""
    suffix = re.search(rf"{case['n']}(0\d\d\d)", follower.request.url.request_target)
    bounced = follower.earlier and "swsbounce" in case["server"]["data"]
    name = f"data{int(suffix[1])}" if suffix else "data1" if bounced else "data"
    head = plain(case["server"][name], case["n"]).split("\n\n")[0].replace("\r", "")
    locations = re.findall(r"^Location: ?(.*?) *$", head, re.MULTILINE)
    return int(head.split(" ")[1]), locations


def _wire(request: Outgoing) -> Outgoing:
    """A request as it is sent: without its fragment."""
    return msgspec.structs.replace(request, url=msgspec.structs.replace(request.url, fragment=None))


def policy_of(case: Case) -> Policy:
    """The row that speaks for a case."""
    obeys = "--follow" in case["command"] or "OBEYCODE" in case["name"] or case["n"] == 580
    return CURL_FOLLOW if obeys else CURL


def check(case: Case) -> None:
    """Each request follows from the answer before it, and nothing follows from the last."""
    first, *others = expected(case)
    follower = Follower(first, policy_of(case))
    for request in others:
        came = follower.receive(*answer(follower, case))
        if came == End("arrived"):  # the same transfer once more
            assert request == first
            follower = Follower(first, policy_of(case))
            continue
        assert isinstance(came, Step), came
        assert _wire(came.request) == request
        follower = came.follower
    end = follower.receive(*answer(follower, case))
    assert isinstance(end, End), end
    assert end.name in ENDS[case["expected_exit"]]


# What curl's exit status says of the end.
ENDS = {0: {"arrived"}, 1: {"refused-scheme"}, 3: {"bad-location"}, 8: {"many-locations"}}


@pytest.mark.parametrize("case", PUBLISHED.held, ids=lambda case: f"{case['n']}: {case['name']}")
def test_a_redirect_of_curls_tests_leads_where_curl_goes(case: Case) -> None:
    check(case)


def test_each_difference_still_is_one() -> None:
    assert PUBLISHED.no_differences(check) == set()


def test_every_case_is_held_or_left_out_for_a_written_reason() -> None:
    assert PUBLISHED.counts == {
        "held": 32,
        "different": 8,
        "not-following": 28,
        "no-requests": 2,
        "firstonly": 2,
        "proxy": 1,
    }
    assert set(PUBLISHED.left_out) == set(REASONS)
