"""What is called plain has nothing that a check would find, beyond notes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detour.audit.checks import check_chain
from detour.audit.finding import at_least
from detour.audit.plain import is_plain
from detour.core.chain import ENDS, Chain, End, Hop, Response
from tests.audit.chains import FIELDS, HOPS, OUTGOING, RESPONSES, URLS, chain, hop

PLAIN = chain(
    hop("GET http://example.com/1", 301, "/2"),
    hop("GET http://example.com/2", 302, "/3?x"),
    hop("GET http://example.com/3?x", 307, "/4"),
    hop("GET http://example.com/4", 200),
)
COOKIE = (("Set-Cookie", "a=b"),)
LONG = [hop(f"GET http://a.test/{at}", 307, f"/{at + 1}") for at in range(4)]
ENDINGS = st.sampled_from(sorted(ENDS)).map(End)


def changed(told: Chain, places: dict[int, dict[str, object]]) -> Chain:
    """The chain with parts of some hops replaced: of the hop, of its request, of its response."""
    hops = list(told.hops)
    for place, parts in places.items():
        one = hops[place % len(hops)]
        for part, value in parts.items():
            owner, _, name = part.rpartition(".")
            inner = getattr(one, owner) if owner else one
            if inner is not None:
                whole = msgspec.structs.replace(inner, **{name: value})
                one = msgspec.structs.replace(one, **{owner: whole}) if owner else whole
        hops[place % len(hops)] = one
    return msgspec.structs.replace(told, hops=tuple(hops))


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "request": OUTGOING,
        "response": st.none() | RESPONSES,
        "location_url": st.none() | URLS,
        "request.url": URLS,
        "request.fields": FIELDS,
        "request.method": st.sampled_from(("GET", "HEAD", "POST", "OPTIONS", "PUT")),
        "request.content": st.sampled_from(("none", "replayable")),
        "response.fields": FIELDS,
        "response.status": st.sampled_from((200, 301, 303, 308, 401)),
        "response.interim": st.sampled_from(((), (100,), (103,))),
    },
)
NEARLY_PLAIN = st.builds(changed, st.just(PLAIN), st.dictionaries(st.integers(0, 3), PARTS, max_size=2))
ANY = st.builds(Chain, st.just("fetch"), st.lists(HOPS, min_size=1, max_size=6).map(tuple), ENDINGS)


@settings(max_examples=1000)
@given(NEARLY_PLAIN | ANY)
def test_no_check_finds_more_than_a_note_in_a_plain_chain(told: Chain) -> None:
    if is_plain(told):
        assert at_least("warning", check_chain(told)) == []


def test_a_few_redirects_within_an_origin_are_plain() -> None:
    assert is_plain(PLAIN)
    assert is_plain(chain(hop("HEAD http://127.0.0.1:81/", 200)))


@pytest.mark.parametrize(
    "told",
    [
        chain(hop("GET https://a.test/", 307, "http://a.test/x"), hop("GET http://a.test/x", 200)),
        chain(hop("GET http://a.test/", 307, "/", answered=COOKIE), hop("GET http://a.test/", 200)),
        chain(hop("POST http://a.test/", 302, "/x"), hop("GET http://a.test/x", 200)),
        chain(*LONG, hop("GET http://a.test/4", 200)),
        chain(hop("GET http://a.test/", 307, "/x"), hop("GET http://a.test/x", 307)),
    ],
)
def test_what_a_check_speaks_about_is_not_plain(told: Chain) -> None:
    assert at_least("warning", check_chain(told))
    assert not is_plain(told)


def test_no_answer_is_not_plain() -> None:
    assert not is_plain(Chain("fetch", (Hop(PLAIN.hops[0].request),), End("connect")))
    lost = Hop(PLAIN.hops[0].request, Response(307))
    assert not is_plain(Chain("fetch", (lost,), End("arrived")))
