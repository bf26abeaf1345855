"""open-location: whoever asks can choose the origin that Location leads to.

A probe asks with the host `CANARY` in a query, in a field or as its Host; this tells from the chain that
came of it whether the canary was believed. Only a Location that leads *to* the canary counts; one that
mentions it (`/login?next=https://canary…`) does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from detour.audit.finding import Check, Finding
from detour.audit.hops import Redirect, found, redirects
from detour.audit.lines import at
from detour.audit.survey import Place
from detour.core.chain import Chain
from detour.core.pattern import Group, Pattern
from detour.core.template import Slot
from detour.core.url import URL, decode_query

CANARY = "canary.detour.invalid"  # RFC 6761 §6.4: nobody can own it


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        believed = redirect.location_url.hostname == CANARY and _is_written(redirect)
        carrier = _carrier(redirect) if believed else ""
        if carrier:
            yield found(
                CHECK, chain, redirect.hop, f"{carrier} chooses where Location leads: {redirect.location_url}"
            )


def _is_written(redirect: Redirect) -> bool:
    """Whether the server wrote the canary; a relative Location takes it from the target URI."""
    return any(CANARY in unquote(location).lower() for location in redirect.response.locations)


def _carrier(redirect: Redirect) -> str:
    """What carried the canary to the server; "" if nothing did."""
    url = redirect.request.url
    for name, value in decode_query(url.query or ""):
        if CANARY in value.lower():
            return f"the query parameter {name}"
    for name, value in redirect.request.fields:
        if CANARY in value.lower():
            return f"the field {name}"
    if CANARY in unquote(url.path).lower():
        return "the path"
    return "Host" if url.hostname == CANARY else ""


def over_rule(place: Place) -> Iterator[Finding]:
    template = place.rule.template
    if template is None or template.hosts:
        return
    names = [part.name for part in template.authority if isinstance(part, Slot)]
    chosen = [name for name in names if not name.startswith("url.")]
    if not chosen:
        yield from _of_host(place, names)
        return
    host = {key.name: key.component for key in _groups(place)}
    if all(host.get(name) in ("hostname", "port") for name in chosen):
        return  # a part of a host that the pattern names
    fixed = "".join(part for part in template.authority if isinstance(part, str))
    if fixed.endswith(tuple(".abcdefghijklmnopqrstuvwxyz")) and "." in fixed.strip("."):
        return  # a subdomain of a host that is written out
    yield at(CHECK, place, f"whoever asks chooses the host: `{place.rule.pattern}` leads to {template.text}")


def _of_host(place: Place, names: list[str]) -> Iterator[Finding]:
    """The Host field chooses, where the rule answers every host."""
    if "url.hostname" not in names or not place.urls:
        return
    pattern = Pattern.parse(place.rule.pattern, ignore_case=place.rule.ignore_case)
    if not pattern.hostname.implied and "//*" not in place.rule.pattern:
        return
    asked = URL.parse(place.urls[0])
    witness = f"{place.method} {place.urls[0].replace(asked.hostname, CANARY, 1)}"
    message = f"every Host is answered, and written into the Location: `{place.text or place.rule.pattern}`"
    yield at(CHECK, place, message, severity="note", witness=witness, confidence="suggests")


def _groups(place: Place) -> tuple[Group, ...]:
    return Pattern.parse(place.rule.pattern, ignore_case=place.rule.ignore_case).groups


CHECK = Check(
    name="open-location",
    severity="error",
    finds="A query, a path, a field or Host chooses the origin that Location leads to.",
    why=(
        "A link that begins with your host ends at somebody else's, with your name on it; with 307 the "
        "visitor's content goes there, too. A Host or X-Forwarded-Host that is believed poisons caches in"
        " between."
    ),
    instead=(
        "Allow a list of hosts and refuse all others; take the host of an absolute Location from "
        "configuration; collapse slashes and backslashes at the beginning of a computed path."
    ),
    references=("CWE-601", "RFC 9110 §17.1", "expressjs/serve-static#26", "GHSA-v6wp-4m6f-gcjg"),
    over_chain=over_chain,
    over_rule=over_rule,
)
