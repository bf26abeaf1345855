"""`detour match`: the decision on one request, and why earlier rules did not answer."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import Annotated, Any

import msgspec
import typer

from detour.cli import arguments
from detour.core.decision import NO_STORE, Decision, Fields
from detour.core.location import resolve
from detour.core.matcher import Skipped
from detour.core.message import METHODS, TARGET_LIMIT, Request
from detour.core.url import URL

MOST_SKIPPED = 20


def match(
    rules: Annotated[str, typer.Argument(help="The rule file.")],
    method: Annotated[str, typer.Argument(help="The method, as in POST.")],
    url: Annotated[str, typer.Argument(help="The target URI, whole.")],
    header: Annotated[list[str], typer.Option("-H", "--header", help="A field: 'Name: value'.")] = [],  # noqa: B006
    client: Annotated[str, typer.Option(help="The client's address.")] = "",
    at: Annotated[str | None, typer.Option(help="When it is asked: 2026-12-01T00:00:00Z.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> int:
    """Say what a request gets, and why from that rule."""
    if method not in METHODS:
        hint = f"; write {method.upper()}" if method.upper() in METHODS else "; the server answers it 501"
        raise typer.BadParameter(f"the server does not know the method {method!r}{hint}")
    if client:
        try:
            ip_address(client)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    target = URL.parse(url)
    request = Request.of(method, target, arguments.fields(header), client)
    instant = arguments.instant(at)
    ruleset = arguments.rule_file(rules).ruleset
    decision, skipped = ruleset.explain(request, instant)
    if len(target.request_target) > TARGET_LIMIT:  # the server does not even look
        decision, skipped = Decision(HTTPStatus.REQUEST_URI_TOO_LONG, fields=(NO_STORE,)), ()
    document = report(decision, skipped, target)
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        typer.echo("\n".join(_lines(document)))
    return 0 if decision.location is not None else 1


def report(decision: Decision, skipped: tuple[Skipped, ...], target: URL) -> dict[str, Any]:
    """The document of `match --json`."""
    url = None if decision.location is None else resolve(decision.location, target)
    document: dict[str, Any] = {
        "status": decision.status,
        "location": decision.location,
        "location_url": None if url is None else str(url),
        "rule": decision.rule.name if decision.rule else None,
        "span": str(decision.rule.span) if decision.rule else None,
        "headers": _joined(decision.fields),
        "skipped": [
            {"rule": one.rule.name, "span": str(one.rule.span), "reason": one.reason, "detail": one.detail}
            for one in skipped[:MOST_SKIPPED]
        ],
    }
    if len(skipped) > MOST_SKIPPED:
        document["skipped_more"] = len(skipped) - MOST_SKIPPED
    return document


def _joined(fields: Fields) -> dict[str, str]:
    """Fields by name; the values of one that is repeated as one list (RFC 9110 §5.3)."""
    joined: dict[str, str] = {}
    for name, value in fields:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _lines(document: dict[str, Any]) -> list[str]:
    by = f"by {document['rule']} ({document['span']})" if document["rule"] else "no rule answers"
    lines = [f"{document['status']} {by}"]
    lines += [f"  {name}: {value}" for name, value in document["headers"].items()]
    if document["location_url"] != document["location"]:
        lines.append(f"  resolved: {document['location_url']}")
    lines += [
        f"  skipped {one['rule']} ({one['span']}): {one['reason']}: {one['detail']}"
        for one in document["skipped"]
    ]
    if "skipped_more" in document:
        lines.append(f"  and {document['skipped_more']} more")
    return lines
