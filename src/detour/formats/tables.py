"""The tables of a rule file as types: what may be written, and what each key means.

The reader converts with them, `detour schema` prints them, and the reference in the documentation
is made from their descriptions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from detour.core.settings import ListenerSettings, Seconds, ServerSettings

# Without (?!\n) Python's `$`, unlike that of JSON Schema (ECMA-262), lets a last line end pass.
NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$(?!\n)"

Status = Literal[301, 302, 303, 307, 308, 404, 410, 451]
RedirectCode = Literal[301, 302, 303, 307, 308]
Dialect = Literal[
    "netlify",
    "cloudflare-pages",
    "ipfs",
    "csv",
    "cloudflare-bulk",
    "vercel-bulk",
    "gateway-api",
    "haproxy",
    "nginx",
    "apache",
    "ingress",
    "vercel",
    "cloudflare-rules",
    "istio",
    "netlify-toml",
    "alb",
    "envoy",
    "traefik",
    "caddy",
]
Wanted = str | tuple[str, ...] | Literal[True]
Instant = Annotated[datetime, Meta(tz=True)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of a rule file: unknown keys are faults."""


class ConditionTable(_Table, frozen=True):
    """Conditions on one request; each names values that count, or `true` for any value."""

    header: Annotated[dict[str, Wanted], Meta(description="header fields; names without case")] = {}
    query: Annotated[dict[str, Wanted], Meta(description="query parameters, form-decoded")] = {}
    cookie: Annotated[dict[str, Wanted], Meta(description="cookies")] = {}
    client: Annotated[tuple[str, ...] | None, Meta(description="networks (CIDR) of the client's address")] = (
        None
    )


class ShareTable(_Table, frozen=True):
    """A sticky part of all clients, told apart by a cookie."""

    of: Annotated[float, Meta(gt=0, lt=1, description="the part: 0.1 is a tenth")]
    cookie: Annotated[str, Meta(min_length=1, description="clients without this cookie are not in it")]


class CorsTable(_Table, frozen=True):
    """What browsers of other origins may do."""

    origins: Annotated[tuple[str, ...] | None, Meta(description="origins let in; default: any")] = None
    credentials: Annotated[bool, Meta(description="let cookies and Authorization through")] = False
    headers: Annotated[
        tuple[str, ...] | Literal["*"], Meta(description='request fields let through; "*": any')
    ] = ()
    expose: Annotated[tuple[str, ...], Meta(description="response fields scripts may read")] = ()
    max_age: Annotated[Seconds | None, Meta(description="how long a preflight may be remembered")] = None


class ExpectTable(_Table, frozen=True):
    """An example that `detour test` runs against the whole rule set."""

    request: Annotated[str, Meta(description='method and absolute URL: "POST https://example.com/v1/7"')]
    location: Annotated[str | None, Meta(description="the Location, resolved or as sent")] = None
    none: Annotated[bool, Meta(description="true: this request is not redirected at all")] = False
    status: Annotated[Status | None, Meta(description="the status expected")] = None
    headers: Annotated[dict[str, str], Meta(description="fields the request carries")] = {}
    client: Annotated[str, Meta(description="the client's address")] = ""
    at: Annotated[
        Instant | None, Meta(description="when it is asked; default: an instant within the window")
    ] = None


class RuleTable(
    _Table, frozen=True, rename={"start": "from", "end": "until", "pass_": "pass", "import_": "import"}
):
    """One rule. The first one, in file order, whose pattern and conditions match, answers."""

    name: Annotated[str, Meta(pattern=NAME, description="unique; shown in logs, hits and findings")]
    pattern: Annotated[
        str | None,
        Meta(description="URL Pattern: /path (any scheme and host), //host/path, or scheme://host/path"),
    ] = None
    location: Annotated[
        str | None,
        Meta(description="where to: {0} and {name} are captures, {url.path} and such the request's"),
    ] = None
    pass_: Annotated[
        bool, Meta(description="the search ends here and nothing is redirected: 404, or `status` 410 or 451")
    ] = False
    status: Annotated[
        Status | None,
        Meta(description="default 307; for an import, of lines without one: what its dialect says"),
    ] = None
    methods: Annotated[
        tuple[str, ...] | None, Meta(description="the methods it is for; GET includes HEAD; default: all")
    ] = None
    when: Annotated[ConditionTable | None, Meta(description="all of these must hold")] = None
    unless: Annotated[ConditionTable | None, Meta(description="none of these may hold")] = None
    ignore_case: Annotated[bool | None, Meta(description="match path and query without case")] = None
    share: Annotated[
        float | ShareTable | None, Meta(description="only for this part of all clients: 0.1, sticky")
    ] = None
    start: Annotated[Instant | None, Meta(description="in force from this instant on; with an offset")] = None
    end: Annotated[Instant | None, Meta(description="silent from this instant on; with an offset")] = None
    query: Annotated[
        Literal["keep", "drop"] | None, Meta(description="keep (default): the request's query is appended")
    ] = None
    cache: Annotated[
        Seconds | None, Meta(description="how long the redirect may be cached; default: not")
    ] = None
    retry_after: Annotated[Seconds | None, Meta(description="a Retry-After field")] = None
    cors: Annotated[bool | CorsTable | None, Meta(description="true: any origin, no credentials")] = None
    headers: Annotated[dict[str, str] | None, Meta(description="further response fields")] = None
    location_hosts: Annotated[
        tuple[str, ...] | None, Meta(description="the hosts a computed Location may have")
    ] = None
    why: Annotated[str, Meta(description="the reason, for people")] = ""
    expect: Annotated[tuple[ExpectTable, ...], Meta(description="examples, run by `detour test`")] = ()
    import_: Annotated[
        str | None, Meta(description="a file of another format whose lines stand at this place")
    ] = None
    dialect: Annotated[Dialect | None, Meta(description="the format of the imported file")] = None
    hosts: Annotated[
        tuple[str, ...], Meta(description="the hosts that imported lines without a host apply to")
    ] = ()
    on_fault: Annotated[
        Literal["refuse", "pass"],
        Meta(description='what an imported line that cannot be expressed does; "pass": it answers 404'),
    ] = "refuse"


class DefaultsTable(_Table, frozen=True):
    """What native redirect rules have unless they say otherwise; never imports, never `pass` rules."""

    status: Annotated[RedirectCode, Meta(description="the redirect status")] = 307
    cache: Annotated[Seconds | None, Meta(description="how long a redirect may be cached; default: not")] = (
        None
    )
    query: Annotated[Literal["keep", "drop"], Meta(description="keep: the request's query is appended")] = (
        "keep"
    )
    headers: Annotated[dict[str, str], Meta(description="further response fields")] = {}
    cors: Annotated[bool | CorsTable, Meta(description="true: any origin, no credentials")] = False
    ignore_case: Annotated[bool, Meta(description="match path and query without case")] = False
    location_hosts: Annotated[
        tuple[str, ...], Meta(description="the hosts a computed Location may have")
    ] = ()


class RuleFile(_Table, frozen=True):
    """A Detour rule file."""

    defaults: DefaultsTable = msgspec.field(default_factory=DefaultsTable)
    server: ServerSettings = msgspec.field(default_factory=ServerSettings)
    listener: tuple[ListenerSettings, ...] = ()
    rule: tuple[RuleTable, ...] = ()


def schema() -> dict[str, Any]:
    """The JSON Schema of a rule file (draft 2020-12), made from these types."""
    made = msgspec.json.schema(RuleFile, schema_hook=_schema_of)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Detour rule file", **made}


def _schema_of(kind: type) -> dict[str, Any]:
    if kind is Seconds:
        return {"type": "string", "pattern": Seconds.PATTERN, "examples": ["30s", "5m", "2h", "7d"]}
    raise NotImplementedError(kind)
