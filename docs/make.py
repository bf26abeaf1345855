"""Writes the documentation that is made from tables: `python docs/make.py`. A test says when it is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from detour.audit.checks import CHECKS
from detour.cli.explain import overview
from detour.core import policy as words
from detour.core.chain import Content, End, Outgoing
from detour.core.follower import Follower
from detour.core.matcher import SKIP_REASONS
from detour.core.message import METHODS
from detour.core.policy import POLICIES, Policy
from detour.core.settings import ListenerSettings, ServerSettings
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL
from detour.formats import tables

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/make.py from the tables in the source; edit those. -->\n"

TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("[[rule]]", tables.RuleTable),
    ("[rule.when], [rule.unless]", tables.ConditionTable),
    ("share = { … }", tables.ShareTable),
    ("[rule.cors]", tables.CorsTable),
    ("[[rule.expect]]", tables.ExpectTable),
    ("[defaults]", tables.DefaultsTable),
    ("[server]", ServerSettings),
    ("[[listener]]", ListenerSettings),
)


def statuses() -> Iterator[str]:
    """docs/statuses.md"""
    yield MADE
    yield "# The five redirect statuses\n"
    yield f"```\n{overview()}\n```\n"
    for status in REDIRECT_STATUSES.values():
        yield f"## {status.code} {status.phrase}\n"
        yield f"{status.meaning} ({status.clause})\n"
        yield f"**Use it when:** {status.use}\n"
        yield f"**Not when:** {status.avoid}\n"
        yield f"**Clients:** {status.clients}\n"


def reference() -> Iterator[str]:
    """docs/reference.md"""
    yield MADE
    yield "# Every key of a rule file\n"
    yield "For editors: `detour schema` prints the JSON Schema. How to use the keys: [rules.md](rules.md).\n"
    for title, kind in TABLES:
        yield f"## `{title}`\n"
        yield f"{(kind.__doc__ or '').strip()}\n"
        rows = [
            f"| `{field.encode_name}` | {_default(field)} | {_meaning(field)} |"
            for field in msgspec.structs.fields(kind)
        ]
        yield "| key | default | meaning |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n"
    yield "## Methods\n"
    yield f"What the server can be asked for: {', '.join(sorted(METHODS))}.\n"
    yield "## Why a rule did not answer\n"
    yield "\n".join(f"- `{reason}`: {meaning}" for reason, meaning in SKIP_REASONS.items()) + "\n"


def findings() -> Iterator[str]:
    """docs/findings.md"""
    yield MADE
    yield "# What is found in a chain of redirects\n"
    yield (
        "`detour trace` and `detour check` look for these. A contract accepts one by its name, as in "
        '`allow = ["slash-only"]`. Why a redirect is there, and loops: '
        "[unexpected-307.md](unexpected-307.md). What `detour audit` finds in rules: "
        "[checks](checks/README.md).\n"
    )
    for check in (one for one in CHECKS if one.over_chain is not None):
        yield f"## `{check.name}`: {check.severity}\n"
        yield f"{check.finds}\n"
        yield f"**Why it matters:** {check.why}\n"
        yield f"**Instead:** {check.instead}\n"
        yield f"**References:** {'; '.join(check.references)}\n"


# What may be asked: each kind is all of its methods, with or without content.
KINDS: dict[str, tuple[tuple[str, ...], Content]] = {
    "GET": (("GET",), "none"),
    "GET with content": (("GET",), "replayable"),
    "HEAD": (("HEAD",), "none"),
    "POST with content": (("POST",), "replayable"),
    "PUT, PATCH, DELETE, QUERY with content": (("PUT", "PATCH", "DELETE", "QUERY"), "replayable"),
    "POST without": (("POST",), "none"),
    "PUT, DELETE, OPTIONS without": (("PUT", "DELETE", "OPTIONS"), "none"),
}
SOURCES = (
    ("RFC 9110", "<https://www.rfc-editor.org/rfc/rfc9110>: §10.1.3, §10.2.2, §15.4"),
    ("Fetch", "<https://fetch.spec.whatwg.org/>: §2.2.2, §2.2.3, §2.2.6, §4.4"),
    ("Referrer Policy", "<https://w3c.github.io/webappsec-referrer-policy/>: §8.3"),
    ("URL", "<https://url.spec.whatwg.org/>: §4.4"),
    (
        "curl 7.88.1; libcurl 8.23.0 for `--follow`",
        "<https://github.com/curl/curl>: `lib/http.c`, tests, manual",
    ),
    ("requests 2.34.2", "<https://github.com/psf/requests>: `sessions.py`, `models.py`"),
    ("httpx 0.28.1", "<https://github.com/encode/httpx>: `_client.py`, `_models.py`"),
    ("Go 1.27.3", "<https://github.com/golang/go>: `src/net/http/client.go`"),
)
CHOICE = """\
`fetch` is the default: what browsers do. `rfc9110` uses none of the MAYs: what it changes must be changed.
The others are what runs in scripts and services. What no table mentions stays as it was. *Seen* is what the
version named under [sources](#sources) did when it was run.
"""
NOT_HERE = """\
- **Repeats.** No client stops before its limit. Detour stops at the first request that was sent before (the
  same method, URL, content and credentials), unless a cookie was set in between; the chain ends in `loop`.
- **URLs.** Every row reads a Location as the URL standard does, and follows to http and https only. curl
  writes a space in a query as `+`, refuses four slashes after the scheme and speaks ftp; httpx fills an empty
  host from the request.
- **Userinfo** in a Location stays in the URL and is not sent; curl and Go make Basic credentials of it.
- **Host**, where it was written, is sent to its own authority only.
- **CORS, HSTS, caches, cookie jars and proxies** are part of no row.
"""


def policies() -> Iterator[str]:
    """docs/policies.md"""
    yield MADE
    yield "# Whose eyes: which request follows a redirect\n"
    yield (
        "Clients differ in what they make of a redirect. `detour trace --policy NAME`, and `policy` in a\n"
        "contract, say whose eyes to look with. Each question has a table; each line says where it stands.\n"
    )
    yield _policy_table(("who",), lambda policy: (policy.title,))
    yield CHOICE
    yield "## Which statuses are followed?\n"
    yield _policy_table(("statuses", "source"), lambda policy: (_statuses(policy), policy.statuses_clause))
    yield from _rewritings()
    yield "## Which fields go with the content?\n"
    yield "Those of content that is dropped, wherever it is, and wherever the method becomes GET.\n"
    yield _policy_table(
        ("dropped", "source"), lambda policy: (_names(policy.content_fields), policy.content_fields_clause)
    )
    yield from _credentials()
    yield from _locations()
    yield "## What does Referer say?\n"
    yield "A redirect is no referrer, but to Go. A Referer that was written is\n"
    yield _policy_table(
        ("Referer", "source"), lambda policy: (words.REFERER[policy.referer], policy.referer_clause)
    )
    yield "## How many redirects are followed?\n"
    yield _policy_table(("redirects", "source"), lambda policy: (str(policy.limit), policy.limit_clause))
    yield "## Notes\n"
    yield "\n".join(f"- `{policy.name}`: {policy.note}" for policy in POLICIES.values() if policy.note) + "\n"
    yield f"## What no row says\n\n{NOT_HERE}"
    yield "## Sources\n"
    yield (
        "The tests hold each row against its client, and those of the standards against Fetch's own steps\n"
        "and what web-platform-tests publish.\n"
    )
    yield _table(("what", "where"), SOURCES)


def _rewritings() -> Iterator[str]:
    yield "## What becomes of method and content?\n"
    for title, statuses in (("301", (301,)), ("302", (302,)), ("303", (303,)), ("307 and 308", (307, 308))):
        yield f"### At {title}\n"
        yield _policy_table(tuple(KINDS), _becoming(statuses))
    yield "Sources:\n"
    for policy in POLICIES.values():
        clauses = dict.fromkeys(rewriting.clause for rewriting in policy.rewritings)
        yield f"- `{policy.name}`: {'; '.join(clauses)}"
    yield "\n## And of content that can be sent once only?\n"
    yield "The first request has used it up: a stream, a generator, a pipe.\n"
    yield _policy_table(("a POST at 301, 302", "at 303", "at 307, 308", "source"), _once)


def _becoming(statuses: tuple[int, ...]) -> Callable[[Policy], tuple[str, ...]]:
    return lambda policy: tuple(_becomes(policy, statuses, *KINDS[kind]) for kind in KINDS)


def _becomes(policy: Policy, statuses: tuple[int, ...], methods: tuple[str, ...], content: Content) -> str:
    said = {_changed(policy, status, method, content) for status in statuses for method in methods}
    return " or ".join(sorted(said))


def _changed(policy: Policy, status: int, method: str, content: Content) -> str:
    here = Outgoing(method, URL.parse("https://h.example/here"), (), content)
    came = Follower(here, policy).receive(status, "/there")
    if isinstance(came, End):
        return {"not-replayable": "a failure", "not-followed": "handed back"}[came.name]
    if came.request.method != method:
        return f"**{came.request.method}**"
    lost = "sent empty" if content == "once" else "content dropped"
    return "stays" if came.request.content == content else f"**stays, {lost}**"


def _once(policy: Policy) -> tuple[str, ...]:
    columns = ((301, 302), (303,), (307, 308))
    return (*(_becomes(policy, statuses, ("POST",), "once") for statuses in columns), policy.once_clause)


def _credentials() -> Iterator[str]:
    yield "## Which credentials stay behind, and where is the border?\n"
    yield _policy_table(
        ("stay behind", "at the border to", "on the way back", "source"),
        lambda policy: (
            _names(policy.guarded),
            policy.border.meaning,
            "sent again" if policy.border.returns else "not sent",
            f"{policy.guarded_clause}; {policy.border.clause}",
        ),
    )
    yield "Dropped at every redirect, wherever it leads:\n"
    yield _table(
        ("policy", "dropped", "source"),
        [
            (f"`{policy.name}`", _names(policy.never_again), policy.never_again_clause)
            for policy in POLICIES.values()
            if policy.never_again
        ],
    )


def _locations() -> Iterator[str]:
    yield "## What do several Locations mean, an empty one, a backslash?\n"
    yield _policy_table(
        ("several", "an empty one", "`\\`", "source"),
        lambda policy: (
            words.SEVERAL[policy.several],
            words.EMPTY[policy.empty_location],
            "a slash" if policy.backslash else "itself",
            policy.several_clause,
        ),
    )
    yield "## What becomes of the fragment?\n"
    yield _policy_table(
        ("the fragment of the URL before", "source"),
        lambda policy: (words.FRAGMENT[policy.fragment], policy.fragment_clause),
    )


def _policy_table(columns: tuple[str, ...], cells: Callable[[Policy], tuple[str, ...]]) -> str:
    rows = [(f"`{policy.name}`", *cells(policy)) for policy in POLICIES.values()]
    return _table(("policy", *columns), rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _statuses(policy: Policy) -> str:
    first, *_, last = statuses = sorted(policy.statuses)
    whole = statuses == list(range(first, last + 1))
    return f"{first} to {last}" if whole else ", ".join(map(str, statuses))


def _names(fields: Iterable[str]) -> str:
    return ", ".join("-".join(map(str.capitalize, name.split("-"))) for name in sorted(fields))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    default = field.default
    if default is msgspec.NODEFAULT:
        default = field.default_factory()
    return "" if default in (None, (), {}, "") else f"`{str(default).lower()}`"


def _meaning(field: msgspec.structs.FieldInfo) -> str:
    described = (meta.description for meta in field.type.__metadata__ if meta.description)
    return str(next(described)).replace("|", "\\|")


PAGES = {"statuses.md": statuses, "reference.md": reference, "findings.md": findings, "policies.md": policies}


def page(name: str) -> str:
    """The text of one page."""
    return "\n".join(PAGES[name]())


if __name__ == "__main__":
    for name in PAGES:
        (HERE / name).write_text(page(name))
