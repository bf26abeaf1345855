"""Conditions as alternatives of demands: what `and`, `or` and `not` of a server's configuration come to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from detour.core.message import METHODS
from detour.errors import PatternError
from detour.formats.demand import ANY, Demand, both, excluded

MOST_TERMS = 4096  # combinations that one condition may come to

Alternatives = tuple[Demand, ...]  # one of them holds; () never


def denied(atoms: Alternatives) -> Alternatives:
    """What none of the single tests `atoms` asks for holds; alternatives of it."""
    outcome = Demand()
    hosts = [one.host for one in atoms if one.host is not None]
    paths = [one.path for one in atoms if one.path is not None]
    queries = [one.query for one in atoms if one.query is not None]
    schemes = {one.scheme for one in atoms if one.scheme}
    methods = [one.methods for one in atoms if one.methods is not None]
    if any(one.port and not one.scheme for one in atoms):
        raise PatternError("any port but one, which no pattern says", "name the ports that are meant")
    if len(schemes) > 1:
        return ()
    outcome = Demand(
        scheme={"http": "https", "https": "http"}.get(next(iter(schemes), ""), ""),
        host=excluded(hosts) if hosts else None,
        path=excluded(paths) if paths else None,
        query=excluded(queries) if queries else None,
        methods=METHODS - frozenset().union(*methods) if methods else None,
        unless=tuple(condition for one in atoms for condition in one.when),
    )
    whens = tuple(Demand(when=one.unless) for one in atoms if one.unless)
    joined = [outcome]
    for when in whens:
        joined = [found for one in joined if (found := both(one, when)) is not None]
    return tuple(joined)


def one_of(terms: Iterable[Alternatives]) -> Alternatives:
    """What one of `terms` asks for."""
    return tuple(dict.fromkeys(demand for term in terms for demand in term))


def all_of(literals: list[Alternatives]) -> Alternatives:
    """What all of `literals` ask for; raises `PatternError` where no pattern says it."""
    count = 1
    for one in literals:
        count *= len(one)
    if count > MOST_TERMS:
        raise PatternError(f"a condition of {count} combinations", "write several rules")
    found = []
    for choice in product(*literals):
        demand: Demand | None = ANY
        for chosen in choice:
            demand = None if demand is None else both(demand, chosen)
        if demand is not None:
            found.append(demand)
    return tuple(found)
