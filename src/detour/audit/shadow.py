"""Which earlier rule hides a rule: exact over keys, by samples for regular expressions."""

from __future__ import annotations

import msgspec

from detour.audit.covers import keys_cover, terms_cover
from detour.audit.survey import Place
from detour.core.rule import Rule

_LEAST = 3  # samples that must be hidden by one rule before that says anything
_MOST = 64  # earlier matches that are looked at


class Hidden(msgspec.Struct, frozen=True):
    """The rule that hides another one."""

    rule: Rule
    same: bool  # whether both have the same pattern and terms
    exact: bool  # False: it hides every sample


def hidden_by(place: Place) -> Hidden | None:
    """The first earlier rule of its layer that answers all it would; None if there is none."""
    if len(place.matches) < 2 or not place.alive:
        return None
    for number, rule, _ in place.matches[:_MOST]:
        if number >= place.number:
            return None
        if rule.span == place.rule.span or not terms_cover(rule, place.rule, place.survey.now):
            continue
        found = _held(place, number, rule)
        if found is not None:
            return found
    return None


def _held(place: Place, number: int, rule: Rule) -> Hidden | None:
    _, scheme, keys = place.layer.ruleset.rules.filed(number)
    if scheme not in ("", place.scheme):
        return None
    mine = place.rule
    alike = rule.terms == mine.terms and rule.parameters == mine.parameters
    if rule.pattern == mine.pattern and rule.ignore_case == mine.ignore_case:
        return Hidden(rule, alike, True)
    if keys and place.keys:
        if not keys_cover(keys, place.keys):
            return None
        return Hidden(rule, alike and scheme == place.scheme and keys_cover(place.keys, keys), True)
    return Hidden(rule, False, False) if _hides_samples(place, number) else None


def _hides_samples(place: Place, number: int) -> bool:
    if len(place.urls) < (_LEAST if not place.keys else 1) or (place.keys and not _literal(place)):
        return False
    for url in place.urls:
        request = place.request(url)
        if request is None:
            return False
        if not any(found == number for found, _, _ in place.layer.ruleset.candidates(request)):
            return False
    return True


def _literal(place: Place) -> bool:
    """Whether its witness is all that it matches."""
    return all(not key.names and key.named for key in place.keys)
