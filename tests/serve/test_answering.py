"""The short way to an answer says what the long way says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detour.core.settings import ListenerSettings
from detour.serve.answering import Endpoint, Service
from detour.serve.forwarded import Asker
from detour.serve.head import read_head
from detour.serve.stats import Counters
from tests.core.rules import rules
from tests.core.test_matcher import CONDITION, KIND, METHOD_LISTS, PATTERN, WINDOWS

TARGETS = st.sampled_from(
    [
        "/a",
        "/b",
        "/a/b",
        "/a/c?q=1",
        "/a/b?x='",
        "/a/%62",
        "/a/./b",
        "/c",
        "/",
        "/a?",
        "/z",
        "//a",
        "/a/b/c",
        "/ok",
    ]
)
HOSTS = st.sampled_from(["h", "x.h", "h:80", "h:8080", "H", "other", "a b", ""])
METHODS = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "BREW"])
EXTRAS = st.sampled_from(["", 'cache = "1h"', 'query = "drop"', "cors = true", 'retry_after = "1m"'])


@settings(max_examples=400)
@given(
    st.lists(st.tuples(PATTERN, METHOD_LISTS, WINDOWS, CONDITION, KIND, EXTRAS), min_size=1, max_size=4),
    st.lists(st.tuples(METHODS, TARGETS, HOSTS), min_size=1, max_size=6),
)
def test_what_is_answered_directly_is_what_is_decided(
    written: list[tuple[str, ...]], asked: list[tuple[str, str, str]]
) -> None:
    text = "\n".join(
        f"[[rule]]\nname = \"r{i}\"\npattern = '{pattern}'\n" + "\n".join(rest)
        for i, (pattern, *rest) in enumerate(written)
        if not ("pass" in rest[3] and rest[4])
    )
    ruleset = rules(text)
    service = Service(ruleset, Counters.private(ruleset.series), warn=print, clock=lambda: 0.0)
    endpoint = Endpoint(service, ListenerSettings(health="/ok"))
    for method, target, host in asked:
        line, field = f"{method} {target} HTTP/1.1".encode(), f"\nHost: {host}".encode()
        service.now()
        answered = endpoint.direct(line, field)
        if answered is None:
            continue
        assert endpoint.direct(line, field) == answered
        head = read_head(line + b"\r" + field + b"\r\n\r\n")
        decided = endpoint.entry(head, Asker("http", head.host, "192.0.2.1"), False, "", 0.0)
        assert answered == decided.answer.dated(service.date)
        kept = endpoint.memo.young[line, field]
        assert kept[:-1] == decided[:-1]
        assert kept.answer.dated(b"") == decided.answer.dated(b"")
        assert kept.answer.status == decided.answer.status


def test_a_plain_rule_is_answered_directly() -> None:
    ruleset = rules('[[rule]]\nname = "r"\npattern = "/a/:id"\nlocation = "https://b.test/{id}"\n')
    service = Service(ruleset, Counters.private(ruleset.series), warn=print)
    answered = Endpoint(service, ListenerSettings()).direct(b"GET /a/7?x=1 HTTP/1.1", b"\nHost: h")
    assert answered is not None
    assert b"\r\nLocation: https://b.test/7?x=1\r\n" in answered


def test_only_a_host_line_names_a_host() -> None:
    ruleset = rules('[[rule]]\nname = "r"\npattern = "/*"\nlocation = "https://b.test/{0}"\n')
    service = Service(ruleset, Counters.private(ruleset.series), warn=print)
    endpoint = Endpoint(service, ListenerSettings())
    for line in (b"\nExpect: 100-continue", b"\nContent-Length: 5000000", b"\nConnection: close", b""):
        assert endpoint.direct(b"POST /a HTTP/1.1", line) is None
    assert endpoint.direct(b"POST /a HTTP/1.1", b"\nHOST: h") is not None
