"""For a person each fact is told once: a cause stands for the checks that see the same from the outside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detour.audit.checks import CHECKS
from detour.audit.finding import SEVERITIES, Finding, Severity
from detour.audit.folding import EXPLAINS, folded
from detour.follow.diagnosis.causes import CAUSES
from detour.follow.diagnosis.loops import LOOPS

NAMES = sorted(EXPLAINS.keys() | {one for some in EXPLAINS.values() for one in some})
ANY = st.builds(
    Finding,
    check=st.sampled_from(NAMES),
    severity=st.sampled_from(SEVERITIES),
    message=st.just("a fact"),
    remedy=st.just("a remedy"),
    hop=st.integers(0, 2),
    confidence=st.sampled_from(("is", "suggests")),
)


def found(check: str, severity: Severity = "error", hop: int = 0, sure: bool = True) -> Finding:
    return Finding(check, severity, "a fact", "a remedy", hop=hop, confidence="is" if sure else "suggests")


def told(*findings: Finding) -> list[str]:
    return [one.names for one in folded(findings)]


def test_every_name_in_the_table_is_a_cause_and_what_it_explains_a_check() -> None:
    assert EXPLAINS.keys() <= {row.name for row in (*CAUSES, *LOOPS)}
    assert {one for some in EXPLAINS.values() for one in some} <= {check.name for check in CHECKS}


def test_a_cause_names_the_check_it_explains() -> None:
    both = (found("untrusted-forwarded-scheme"), found("scheme-downgrade"))
    assert told(*both) == ["untrusted-forwarded-scheme, scheme-downgrade"]
    assert told(*reversed(both)) == ["untrusted-forwarded-scheme, scheme-downgrade"]


def test_at_another_hop_it_is_another_fact() -> None:
    assert told(found("starlette-slash", "warning"), found("slash-only", "note", hop=1)) == [
        "starlette-slash",
        "slash-only",
    ]


def test_a_loop_is_one_fact_wherever_it_was_seen() -> None:
    assert told(found("host-ping-pong"), found("redirect-loop", hop=1), found("long-chain", "warning")) == [
        "host-ping-pong, redirect-loop, long-chain"
    ]


def test_what_is_certain_is_not_hidden_behind_what_is_not() -> None:
    assert told(found("offloaded-tls", sure=False), found("self-redirect")) == [
        "offloaded-tls",
        "self-redirect",
    ]
    assert told(found("starlette-slash", "warning", sure=False), found("slash-only", "note")) == [
        "starlette-slash, slash-only"
    ]


def test_nothing_is_hidden_behind_what_is_less_grave() -> None:
    assert len(told(found("starlette-slash", "warning"), found("slash-only", "error"))) == 2


@given(st.lists(ANY, max_size=8).map(tuple))
def test_every_name_is_told_and_the_gravest_severity_too(findings: tuple[Finding, ...]) -> None:
    shown = folded(findings)
    named = {name for one in shown for name in one.names.split(", ")}
    assert named == {one.check for one in findings}
    gravest = {max((one.severity for one in findings), key=SEVERITIES.index)} if findings else set()
    assert {one.finding.severity for one in shown} >= gravest
