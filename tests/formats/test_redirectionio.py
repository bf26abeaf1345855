"""redirection.io's router cases, through an adapter: what Detour's rules can say of them, and what not."""

from __future__ import annotations

from tests.formats.dialect_data import data_file
from tests.formats.redirectionio import FILE, GROUPS, tally

# Cases that are answered otherwise, each with the reason.
DIFFERENCES = {
    "test_rule_skipped_query_parameters_4": "parameters of marketing go along there, in the order of their"
    " names, beside the rule's own; here the query goes along whole, or not at all",
}

COUNTS = {
    "held": 133,
    "differs": 1,
    # What cannot be said, and why.
    "a rule that does not redirect": 101,
    "a rule by the client's address, which the data does not hold": 19,
    "a rule by the time of day or the weekday": 16,
    "a marker that is transformed": 15,
    "a field's value as an expression": 5,
    "a marker in the host: Detour lets no request choose the host": 4,
    "a random sample of requests: their number decides": 2,
    "a request's field in the Location": 2,
}


def test_every_case_is_held_or_has_its_reason() -> None:
    if not GROUPS:
        data_file("redirectionio", FILE.name)
    counts, differing = tally()
    assert differing == list(DIFFERENCES)
    assert counts == COUNTS
    assert counts.total() == 298
