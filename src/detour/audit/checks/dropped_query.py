"""dropped-query: the Location takes the path along, and not the query."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit import edits, remedies
from detour.audit.finding import Check, Finding
from detour.audit.lines import at
from detour.audit.survey import Place


def over_rule(place: Place) -> Iterator[Finding]:
    rule = place.rule
    if (
        rule.template is None
        or rule.terms.query != "drop"
        or rule.takes_query
        or rule.template.query is not None
    ):
        return
    if not any(slot.component == "path" for slot in rule.template.slots) or not place.urls:
        return
    witness = f"{place.method} {place.urls[0]}{'&' if '?' in place.urls[0] else '?'}id=1"
    message = f"`{rule.pattern}` takes the path along and drops the query"
    yield at(CHECK, place, message, _remedy(place), witness=witness)


def _remedy(place: Place) -> remedies.Remedy:
    dialect, row = place.layer.dialect, place.text
    if dialect == "nginx" and "return" in row:
        return remedies.Remedy("Append $is_args$args", edits.behind_location(place, "$is_args$args"))
    if dialect == "native":
        return remedies.Remedy("Keep the query", edits.key(place, 'query = "keep"'))
    if dialect == "apache" and "?" in row:
        return remedies.replaced(place, "?", "", "Leave out the question mark that drops the query")
    return remedies.Remedy("")


CHECK = Check(
    name="dropped-query",
    severity="warning",
    finds="A Location takes the path of the request along, but not its query.",
    why=(
        "`/orders/7?x=1` arrives as `/orders/7`: searches, filters, tokens and tracking parameters "
        "are lost without an error."
    ),
    instead=(
        'Append the query: `$is_args$args` in nginx, QSA in mod_rewrite, `query = "keep"` in a rule file.'
    ),
    references=("RFC 9110 §15.4", "nginx: return"),
    over_rule=over_rule,
)
