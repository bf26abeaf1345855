"""Contracts: what live URLs must answer, written by a person in TOML.

    [[request]]
    method   = "POST"
    url      = "https://shop.example/v1/orders"
    content  = '{"article": 7}'
    status   = 307
    location = "/v2/orders"

A contract is TOML read like a rule file: every fault at once, each at its line with what to do. A method
that is written here is asked for: an unsafe request goes to the origins that its table names, and no further.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from detour.audit.checks import CHECKS
from detour.core.chain import Content, Fields, Outgoing
from detour.core.message import is_token
from detour.core.policy import FETCH, POLICIES, Policy
from detour.core.url import URL
from detour.errors import KeyFault, RuleError, URLError
from detour.follow.claim import Claim, Expected
from detour.follow.consent import Consent
from detour.follow.diagnosis.causes import CAUSES
from detour.follow.diagnosis.loops import LOOPS
from detour.formats.conversion import Converter, Document, TableFaults
from detour.formats.toml_places import Path

Status = Annotated[int, Meta(ge=100, le=599)]
Statuses = Status | tuple[Status, ...]
Files = Callable[[str], bytes]  # what a file that the contract names holds; raises `OSError`

_ALLOWABLE = sorted({one.name for one in CHECKS} | {one.name for one in CAUSES} | {one.name for one in LOOPS})
_WITHOUT_CONTENT = frozenset(
    {"GET", "HEAD", "OPTIONS", "TRACE"}
)  # RFC 9110 §9.3: no semantics, or none allowed
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


class ExpectedTable(_Table, frozen=True, kw_only=True):
    """What must come; what is not written is not looked at."""

    status: Annotated[
        Statuses | None, Meta(description="of the first answer: a status, or a list of some")
    ] = None
    location: Annotated[
        str | None, Meta(description="of the first answer, compared after it is resolved")
    ] = None
    chain: Annotated[
        tuple[str, ...] | None, Meta(description="every URL that is redirected to, in order; []: none")
    ] = None
    end: Annotated[str | None, Meta(description="the URL of the last answer, which is no redirect")] = None
    end_status: Annotated[
        Statuses | None,
        Meta(description="of the last answer; default: below 400 if `chain` or `end` is written"),
    ] = None


class RowTable(ExpectedTable, frozen=True, kw_only=True):
    """Methods to ask with, and what must come; where it says nothing, the request's own words count."""

    methods: Annotated[tuple[str, ...], Meta(description='as in ["POST", "PUT"]')]


class RequestTable(ExpectedTable, frozen=True, kw_only=True):
    """One request and what must come of it. Nothing expected: the chain ends with a status below 400."""

    url: Annotated[str, Meta(description="whole, or a path at `origin`")]
    name: Annotated[str, Meta(description="shown in reports; default: method and URL")] = ""
    method: Annotated[str, Meta(description="default GET, or POST with content")] = ""
    headers: Annotated[dict[str, str], Meta(description="fields to send")] = {}
    content: Annotated[str | None, Meta(description="content to send, as UTF-8")] = None
    content_file: Annotated[str | None, Meta(description="a file to send, relative to the contract")] = None
    policy: Annotated[str | None, Meta(description="whose eyes: fetch, curl, requests, …")] = None
    allow: Annotated[tuple[str, ...], Meta(description="checks whose findings are accepted here")] = ()
    row: Annotated[
        tuple[RowTable, ...], Meta(description="asks with other methods, too; each row says what must come")
    ] = ()


class DefaultsTable(_Table, frozen=True):
    """What every request has unless it says otherwise."""

    origin: Annotated[str, Meta(description="where paths are asked; --origin replaces it")] = ""
    headers: Annotated[
        dict[str, str], Meta(description="fields to send; a request's own go before them")
    ] = {}
    policy: Annotated[str, Meta(description="whose eyes; default: --policy")] = ""
    allow: Annotated[tuple[str, ...], Meta(description="checks whose findings are accepted everywhere")] = ()


class ContractFile(_Table, frozen=True):
    """A contract of `detour check`."""

    defaults: DefaultsTable = msgspec.field(default_factory=DefaultsTable)
    request: tuple[RequestTable, ...] = ()


def read(
    document: Document, files: Files, origin: str = "", policy: Policy = FETCH, fields: Fields = ()
) -> tuple[Claim, ...]:
    """The claims of a contract, in order; raises `RuleError` with every fault.

    `origin` replaces `defaults.origin`; `policy` and `fields` count where the contract says none.
    """
    converter = Converter(document, TABLE_FAULTS)
    defaults = _defaults(converter, document.data.get("defaults", {}))
    if origin:
        defaults = msgspec.structs.replace(defaults, origin=origin)
    for key in document.data.keys() - {"defaults", "request"}:
        converter.unknown(key, ("defaults", "request"), ())
    claims = [*_claims(converter, defaults, _Unsaid(files, policy, fields))]
    if converter.faults:
        raise RuleError(tuple(sorted(converter.faults)))
    return tuple(claims)


def is_contract(data: Mapping[str, Any]) -> bool:
    """Whether a TOML document is meant as a contract, and not as a rule file."""
    return "request" in data or "requests" in data


def schema() -> dict[str, Any]:
    """The JSON Schema of a contract (draft 2020-12), made from these types."""
    made = msgspec.json.schema(ContractFile)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Detour contract", **made}


def _defaults(converter: Converter, data: Any) -> DefaultsTable:
    return converter.partial(DefaultsTable, data, ("defaults",)).table


def _claims(converter: Converter, defaults: DefaultsTable, unsaid: _Unsaid) -> Iterator[Claim]:
    tables = converter.document.data.get("request", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        converter.fault(("request",), "`request` is no list of tables", "write [[request]] above each")
        return
    if not tables:
        converter.fault((), "a contract without requests", "write [[request]] and its url")
    for number, data in enumerate(tables):
        path: Path = ("request", number)
        table = converter.table(RequestTable, data, path)
        if table is not None:
            yield from _Asked(converter, defaults, table, path, unsaid).claims()


class _Unsaid(msgspec.Struct, frozen=True):
    """What a contract does not hold: its files, and what counts where it says nothing."""

    files: Files
    policy: Policy
    fields: Fields


class _Asked:
    """One `[[request]]` being read."""

    def __init__(
        self,
        converter: Converter,
        defaults: DefaultsTable,
        table: RequestTable,
        path: Path,
        unsaid: _Unsaid,
    ) -> None:
        self.converter, self.defaults, self.table, self.path = converter, defaults, table, path
        self.unsaid = unsaid

    def claims(self) -> Iterator[Claim]:
        """One claim, or one for each method."""
        url = self._url("url", self.table.url, self.defaults.origin or None)
        content = self._content()
        if url is None:
            return
        if self.table.method or not self.table.row:
            method = self.table.method or ("GET" if content is None else "POST")
            yield from self._claim(method, self.table, url, content, self.path)
        for number, row in enumerate(self.table.row):
            for method in row.methods:
                sent = None if method in _WITHOUT_CONTENT else content
                path = (*self.path, "row", number)
                yield from self._claim(method, _over(row, self.table), url, sent, path)

    def _claim(
        self, method: str, table: ExpectedTable, url: URL, content: bytes | None, path: Path
    ) -> Iterator[Claim]:
        before = len(self.converter.faults)
        expected = self._expected(table, url, path)
        if len(self.converter.faults) > before:
            return
        bare = msgspec.structs.replace(url, fragment=None)
        kind: Content = "none" if content is None else "replayable"
        said = f"{method} {bare}"
        named = self.table.policy or self.defaults.policy
        yield Claim(
            name=f"{self.table.name}: {said}" if self.table.name else said,
            request=Outgoing(method, bare, self._fields(), kind),
            expected=expected,
            content=content,
            consent=Consent(frozenset({url.origin, *_origins(expected)})),
            policy=POLICIES[named] if named else self.unsaid.policy,
            span=self.converter.document.span(path),
            allow=frozenset({*self.defaults.allow, *self.table.allow}),
        )

    def _expected(self, table: ExpectedTable, url: URL, path: Path) -> Expected:
        chain: list[URL | None] | None = None
        if table.chain is not None:
            chain, base = [], url
            for number, text in enumerate(table.chain):  # each is relative to the one before
                there = self._url("chain", text, base, (*path, "chain", number))
                chain.append(there)
                base = there or base
        return Expected(
            status=_tuple(table.status),
            location=self._optional("location", table.location, url, path),
            chain=None if chain is None else tuple(one for one in chain if one),
            end=self._optional("end", table.end, url, path),
            end_status=_tuple(table.end_status),
        )

    def _optional(self, key: str, text: str | None, base: URL, path: Path) -> URL | None:
        return None if text is None else self._url(key, text, base, (*path, key))

    def _url(self, key: str, text: str, base: URL | str | None, path: Path = ()) -> URL | None:
        try:
            return URL.parse(text, base)
        except URLError as error:
            remedy = error.remedy
            if base is None and text.startswith("/"):
                remedy = "write [defaults] origin, give --origin, or write the URL whole"
            self.converter.fault(path or (*self.path, key), f"`{key}`: {error.fact}", remedy)
            return None

    def _content(self) -> bytes | None:
        name = self.table.content_file
        if name is None:
            return None if self.table.content is None else self.table.content.encode()
        try:
            return self.unsaid.files(name)
        except OSError as error:
            fact = f"`content_file`: {name!r} cannot be read: {error.strerror}"
            self.converter.fault((*self.path, "content_file"), fact, "name a file, relative to the contract")
            return None

    def _fields(self) -> Fields:
        """The request's own fields, then the contract's, then what is sent by default; "" leaves one out."""
        layers = (self.unsaid.fields, self.defaults.headers.items(), self.table.headers.items())
        said = {name.lower(): (name, value) for layer in layers for name, value in layer}
        return tuple(field for field in said.values() if field[1])


def _over(row: ExpectedTable, table: RequestTable) -> ExpectedTable:
    """What a row says, and the request's own words where it says nothing."""
    said = {name: getattr(row, name) for name in ExpectedTable.__struct_fields__}
    return ExpectedTable(
        **{name: getattr(table, name) if value is None else value for name, value in said.items()}
    )


def _origins(expected: Expected) -> set[str]:
    named = (expected.location, expected.end, *(expected.chain or ()))
    return {url.origin for url in named if url}


def _tuple(statuses: int | tuple[int, ...] | None) -> tuple[int, ...]:
    if statuses is None:
        return ()
    return (statuses,) if isinstance(statuses, int) else statuses


def _request_faults(table: RequestTable) -> Iterable[KeyFault]:
    if table.content is not None and table.content_file is not None:
        yield KeyFault(("content_file", "content"), "content twice", "keep `content` or `content_file`")
    if table.method:
        yield from _method_faults("method", table.method)
    asked = Counter([table.method, *(method for row in table.row for method in row.methods)])
    for method, times in asked.items():
        if method and times > 1:
            yield KeyFault(("row", "method"), f"{method} is asked {times} times", "keep it once")
    yield from _field_faults(table.headers)
    yield from _policy_faults(table.policy or "")
    yield from _allow_faults(table.allow)
    yield from _expected_faults(table)


def _expected_faults(table: ExpectedTable) -> Iterable[KeyFault]:
    for key in ("status", "end_status"):
        if getattr(table, key) == ():
            yield KeyFault((key,), f"`{key}` is an empty list: nothing would do", "list some, or drop it")


def _row_faults(table: RowTable) -> Iterable[KeyFault]:
    if not table.methods:
        yield KeyFault(("methods",), "`methods` is empty: nothing is asked", 'list some: ["POST", "PUT"]')
    for method in table.methods:
        yield from _method_faults("methods", method)
    yield from _expected_faults(table)


def _method_faults(key: str, method: str) -> Iterable[KeyFault]:
    if not is_token(method) or method == "CONNECT":
        yield KeyFault((key,), f"{method!r} is no method to ask with", "write a token like POST")
    elif method != method.upper():
        yield KeyFault((key,), f"`{method}`: methods are case-sensitive", f"write `{method.upper()}`")


def _field_faults(headers: dict[str, str]) -> Iterable[KeyFault]:
    for name, value in headers.items():
        if not is_token(name):
            yield KeyFault(("headers",), f"{name!r} is not a field name", "letters, digits and hyphens")
        elif name.lower() in _FRAMING:
            yield KeyFault(
                ("headers",), f"{name} is the connection's to say", "drop it; the URL says the host"
            )
        elif not value.isprintable():
            yield KeyFault(("headers",), f"the value of {name} does not print", "leave controls out")


def _policy_faults(name: str) -> Iterable[KeyFault]:
    if name and name not in POLICIES:
        yield KeyFault(("policy",), f"{name!r} is no policy", f"there are {', '.join(POLICIES)}")


def _allow_faults(names: tuple[str, ...]) -> Iterable[KeyFault]:
    for name in names:
        if name not in _ALLOWABLE:
            near = get_close_matches(name, _ALLOWABLE, 1)
            advice = f"did you mean `{near[0]}`?" if near else "write the name a report shows in brackets"
            yield KeyFault(("allow",), f"{name!r} is no check", advice)


def _defaults_faults(table: DefaultsTable) -> Iterable[KeyFault]:
    yield from _field_faults(table.headers)
    yield from _policy_faults(table.policy)
    yield from _allow_faults(table.allow)
    if table.origin:
        try:
            URL.parse(table.origin)
        except URLError as error:
            yield KeyFault(("origin",), error.fact, 'write origin = "https://shop.example"')


TABLE_FAULTS: TableFaults = {
    DefaultsTable: _defaults_faults,
    RequestTable: _request_faults,
    RowTable: _row_faults,
}
