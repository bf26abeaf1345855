"""Contracts: what a person writes, as claims, and every fault at its line."""

from __future__ import annotations

import pytest

from detour.core.chain import Chain, End, Hop, Outgoing, Response
from detour.core.policy import CURL, FETCH
from detour.core.url import URL
from detour.errors import RuleError
from detour.follow.claim import Claim, Expected, shortfalls
from detour.follow.contract import read, schema
from detour.formats.conversion import Document


def claims(text: str, **options: object) -> tuple[Claim, ...]:
    return read(Document.parse("c.toml", text), lambda name: name.encode(), **options)  # type: ignore[arg-type]


def faults(text: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        claims(text)
    return [str(fault) for fault in caught.value.faults]


def url(text: str) -> URL:
    return URL.parse(text)


def test_a_request_says_what_is_sent_and_what_must_come() -> None:
    (claim,) = claims("""
[[request]]
name     = "order"
url      = "https://shop.test/v1/orders#top"
headers  = { X-Team = "orders" }
content  = "{}"
status   = 307
location = "/v2/orders"
end      = "https://new.test/orders"
""")
    assert claim.name == "order: POST https://shop.test/v1/orders"
    assert claim.request == Outgoing(
        "POST", url("https://shop.test/v1/orders"), (("X-Team", "orders"),), "replayable"
    )
    assert claim.content == b"{}"
    assert claim.expected == Expected(
        status=(307,), location=url("https://shop.test/v2/orders"), end=url("https://new.test/orders")
    )
    assert str(claim.span) == "c.toml:2"


def test_a_written_method_is_asked_for_at_the_origins_that_are_written_and_nowhere_else() -> None:
    (claim,) = claims(
        '[[request]]\nmethod = "POST"\nurl = "http://a.test/"\nlocation = "http://b.test/"\nstatus = 307\n'
    )
    assert claim.consent.allows(Outgoing("POST", url("http://b.test/elsewhere")))
    refused = claim.consent.refusal(Outgoing("POST", url("http://c.test/")))
    assert refused is not None
    assert refused.name == "needs-consent"


def test_an_unsafe_request_is_followed_only_where_the_claim_needs_it() -> None:
    stays, goes, safe = claims("""
[[request]]
method = "POST"
url = "http://a.test/"
status = 307
[[request]]
method = "POST"
url = "http://a.test/"
end = "/b"
[[request]]
url = "http://a.test/"
status = 307
""")
    assert [claim.follows for claim in (stays, goes, safe)] == [False, True, True]


def test_rows_ask_with_other_methods_and_say_only_what_differs() -> None:
    get, put, delete = claims("""
[[request]]
url = "http://a.test/x"
content = "hi"
location = "/y"
[[request.row]]
methods = ["GET"]
status = 302
[[request.row]]
methods = ["PUT", "DELETE"]
status = [307, 308]
location = "/z"
""")
    assert [claim.request.method for claim in (get, put, delete)] == ["GET", "PUT", "DELETE"]
    assert [claim.content for claim in (get, put, delete)] == [None, b"hi", b"hi"]
    assert get.expected == Expected(status=(302,), location=url("http://a.test/y"))
    assert put.expected == delete.expected == Expected(status=(307, 308), location=url("http://a.test/z"))
    assert [str(claim.span) for claim in (get, put, delete)] == ["c.toml:6", "c.toml:9", "c.toml:9"]


def test_defaults_count_where_a_request_is_silent_and_origin_can_be_replaced() -> None:
    text = """
[defaults]
origin = "https://shop.test"
headers = { A = "1", B = "2" }
policy = "curl"
allow = ["slash-only"]
[[request]]
url = "/x"
headers = { b = "3", A = "" }
allow = ["long-chain"]
[[request]]
url = "/y"
policy = "fetch"
"""
    first, second = claims(text, fields=(("User-Agent", "t"),))
    assert first.request == Outgoing("GET", url("https://shop.test/x"), (("User-Agent", "t"), ("b", "3")))
    assert first.allow == {"slash-only", "long-chain"}
    assert (first.policy, second.policy) == (CURL, FETCH)
    assert claims(text, origin="http://127.0.0.1:1")[0].request.url == url("http://127.0.0.1:1/x")


def test_a_chain_is_resolved_step_by_step() -> None:
    (claim,) = claims('[[request]]\nurl = "http://a.test/1/x"\nchain = ["/2/", "http://b.test/3/", "y"]\n')
    assert claim.expected.chain == (
        url("http://a.test/2/"), url("http://b.test/3/"), url("http://b.test/3/y"),
    )  # fmt: skip


def test_content_can_stand_in_a_file() -> None:
    (claim,) = claims('[[request]]\nurl = "http://a.test/"\ncontent_file = "order.json"\n')
    assert (claim.request.method, claim.content) == ("POST", b"order.json")


def test_every_fault_is_told_at_once_with_its_line_and_a_remedy() -> None:
    assert faults("""
[defaults]
policy = "netscape"
[[request]]
url = "/x"
[[request]]
url = "http://a.test/"
method = "post"
status = 700
[[request]]
uri = "http://a.test/"
[[request]]
url = "http://a.test/"
location = "mailto:x"
allow = ["slash-onl"]
[[request]]
url = "http://a.test/"
[[request.row]]
methods = []
""") == [
        "c.toml:3: 'netscape' is no policy; there are fetch, rfc9110, curl, curl-follow, requests, httpx, go",
        "c.toml:5: `url`: '/x' is not a URL; write [defaults] origin, give --origin, or write the URL whole",
        "c.toml:8: `post`: methods are case-sensitive; write `POST`",
        "c.toml:9: `status` cannot be 700; write a whole number from 100 to 599, or a list of them",
        "c.toml:11: unknown key `uri`; did you mean `url`?",
        "c.toml:15: 'slash-onl' is no check; did you mean `slash-only`?",
        'c.toml:19: `methods` is empty: nothing is asked; list some: ["POST", "PUT"]',
    ]


def test_a_contract_without_requests_is_a_fault() -> None:
    assert faults("[defaults]\n") == ["c.toml:1: a contract without requests; write [[request]] and its url"]


def test_framing_is_not_for_a_contract_to_say() -> None:
    (fault,) = faults('[[request]]\nurl = "http://a.test/"\nheaders = { Host = "b.test" }\n')
    assert fault == "c.toml:3: Host is the connection's to say; drop it; the URL says the host"


def test_the_schema_knows_the_tables() -> None:
    known = schema()["$defs"]
    assert {"url", "row", "status", "location", "chain", "end"} <= set(known["RequestTable"]["properties"])
    assert known["RequestTable"]["required"] == ["url"]


def came(*statuses: int, locations: tuple[str, ...] = (), end: str = "arrived") -> Chain:
    """A chain from http://a.test/ through `locations`, with one status a hop."""
    urls = [url("http://a.test/"), *map(url, locations)]
    hops = tuple(
        Hop(Outgoing("GET", at), Response(status), urls[place + 1] if place < len(locations) else None)
        for place, (at, status) in enumerate(zip(urls, statuses, strict=True))
    )
    return Chain("fetch", hops, End(end, "why"))


ONE = came(307, 200, locations=("http://a.test/new",))


@pytest.mark.parametrize(
    ("chain", "expected", "missing"),
    [
        (ONE, Expected(), ()),
        (ONE, Expected(status=(307,)), ()),
        (ONE, Expected(status=(301, 308)), ("status 307, expected 301 or 308",)),
        (ONE, Expected(location=url("http://a.test/%6eew")), ()),
        (
            ONE,
            Expected(location=url("http://a.test/New")),
            ("Location http://a.test/new, expected http://a.test/New",),
        ),
        (ONE, Expected(chain=(url("http://a.test/new"),)), ()),
        (ONE, Expected(chain=()), ("chain http://a.test/new, expected nowhere",)),
        (ONE, Expected(end=url("http://a.test/new"), end_status=(200,)), ()),
        (ONE, Expected(end=url("http://a.test/")), ("ends at http://a.test/new, expected http://a.test/",)),
        (ONE, Expected(end_status=(404,)), ("ends with status 200, expected 404",)),
        (ONE, Expected(through=url("http://a.test/new")), ()),
        (
            ONE,
            Expected(through=url("http://a.test/other")),
            ("does not come to http://a.test/other: it goes to http://a.test/new",),
        ),
        (came(404), Expected(), ("ends with status 404",)),
        (came(410), Expected(status=(410,)), ()),
        (came(200), Expected(location=url("http://a.test/")), ("Location none, expected http://a.test/",)),
        (came(302, end="loop"), Expected(), ("ends with loop: why",)),
        (
            came(302, 404, locations=("http://a.test/new",)),
            Expected(through=url("http://a.test/new")),
            ("ends with status 404",),
        ),
        (
            Chain("fetch", (Hop(Outgoing("GET", url("http://a.test/"))),), End("connect", "nobody there")),
            Expected(status=(200,)),
            ("connect: nobody there",),
        ),
    ],
)
def test_what_is_missing_is_said(chain: Chain, expected: Expected, missing: tuple[str, ...]) -> None:
    assert shortfalls(chain, expected) == missing


def test_a_fragment_counts_only_where_one_is_expected() -> None:
    chain = came(307, 200, locations=("http://a.test/new#part",))
    assert not shortfalls(chain, Expected(location=url("http://a.test/new")))
    assert shortfalls(chain, Expected(location=url("http://a.test/new#other")))
