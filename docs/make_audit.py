"""Writes a page for each check and each dialect: `python docs/make_audit.py`. A test says what is stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from detour.audit import allowed, not_understood
from detour.audit.checks import CHECKS
from detour.audit.finding import Check
from detour.audit.remedies import NO_LINES
from detour.formats.dialects import DIALECTS, Dialect, named
from detour.formats.writers import WRITERS, Writer, writer_for
from detour.formats.writers.writing import FEATURES, NOTHING_WRITTEN
from detour.prove.servers import server_for

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/make_audit.py from the sources; edit those. -->\n"
NATIVE = "native"
INDEX = "README.md"

# What the features of writers mean to whoever writes rules.
MEANT = {
    "methods": "only some methods",
    "header": "only where a field of the request fits",
    "cookie": "only where a cookie fits",
    "query": "only where a query parameter fits",
    "client": "only for some clients' addresses",
    "unless": "not where conditions hold",
    "share": "only for a share of the clients",
    "window": "only for a time",
    "cache": "Cache-Control",
    "retry-after": "Retry-After",
    "cors": "CORS preflights are answered",
    "headers": "fields of the response",
    "parameters": "query parameters of a CSV's source",
}
FILES = {"csv": "csv_file"}  # where a dialect's module is not of its name


# --- checks


def checks() -> Iterator[str]:
    """docs/checks/README.md"""
    yield MADE
    yield "# Every check\n"
    yield (
        "`detour audit` looks for these in rules and configurations, `detour trace` and `detour check` in\n"
        "the chains of redirects that live servers answer with.\n"
    )
    rows = [
        (f"[`{check.name}`]({check.name}.md)", check.severity, _looked(check), check.finds)
        for check in sorted(CHECKS, key=lambda check: check.name)
    ]
    yield _table(("check", "severity", "looks at", "finds"), rows)
    yield (
        "What vendors' programs do by themselves, and which check says so:\n"
        "[vendor-rules.md](../vendor-rules.md).\n"
    )
    yield (
        f"Besides, `{not_understood.NAME}` (a note) lists each line that has a redirect meaning and cannot\n"
        "be judged, with the reason: see the page of [its dialect](../dialects/README.md).\n"
    )
    yield _doc(allowed)
    yield (
        'A contract of `detour check` accepts a finding by its name, as in `allow = ["slash-only"]`. With\n'
        "`--baseline REPORT` what an earlier JSON report holds is known; `--fail-on` says from which\n"
        "severity on the command fails.\n"
    )


def check_page(check: Check) -> Iterator[str]:
    """docs/checks/NAME.md"""
    yield MADE
    yield f"# `{check.name}`\n"
    yield f"{check.finds}\n"
    yield f"Mostly {_article(check.severity)}; looks at {_looked(check)}. [All checks](README.md)\n"
    yield f"## Why it matters\n\n{check.why}\n"
    yield f"## What to do instead\n\n{check.instead}\n"
    if check.over_rule is not None:
        yield _lines_to_write(check)
    yield "## References\n\n" + "".join(f"- {reference}\n" for reference in check.references)


def _lines_to_write(check: Check) -> str:
    """Whether a finding over rules holds lines to write, and where not, why."""
    reasons = {
        dialect or "any other language": why
        for (name, dialect), why in sorted(NO_LINES.items(), reverse=True)
        if name == check.name
    }
    said = "A finding over rules holds the lines to write instead, in the file's language, if they are sure."
    if not reasons:
        return f"{said}\n"
    return f"{said} Where they are not:\n\n" + "".join(f"- {one}: {why}\n" for one, why in reasons.items())


def _looked(check: Check) -> str:
    kinds = ("chains", check.over_chain), ("rules", check.over_rule)
    return " and ".join(name for name, judge in kinds if judge is not None)


def _article(severity: str) -> str:
    return f"an {severity}" if severity == "error" else f"a {severity}"


# --- dialects


def dialects() -> Iterator[str]:
    """docs/dialects/README.md"""
    yield MADE
    yield "# Every dialect\n"
    yield (
        "`detour audit` judges what is read, `detour convert` restates it in what is written, and its\n"
        "`--prove` compares with the real server. A file's dialect is told by its content, else by its\n"
        "name; `--dialect` (audit) and `--from` (convert) name it.\n"
    )
    rows = [
        (
            f"[`{name}`]({name}.md)",
            _title(name),
            _yes(name == NATIVE or named(name) is not None),
            _yes(writer_for(name) is not None),
            _yes(server_for(name) is not None),
        )
        for name in names()
    ]
    yield _table(("dialect", "what", "read", "written", "proved"), rows)
    yield (
        "What has no redirect meaning is passed over. What has one and cannot be expressed is listed as\n"
        "*not understood*, with its line and the reason, never dropped. What a target language cannot say\n"
        "is listed as *unsaid*, with what was written instead and what that means per method.\n"
    )


def names() -> list[str]:
    """Every language that is read or written, in the order of the tables."""
    known = [NATIVE, *(dialect.name for dialect in DIALECTS), *(writer.name for writer in WRITERS)]
    return list(dict.fromkeys(known))


def dialect_page(name: str) -> Iterator[str]:
    """docs/dialects/NAME.md"""
    dialect, writer = named(name), writer_for(name)
    yield MADE
    yield f"# {_title(name)}\n"
    yield f"On the command line: `{name}`. [All dialects](README.md)\n"
    yield "## What is read, and what is not\n"
    if dialect is not None:
        yield from _read(dialect)
    elif name == NATIVE:
        yield "Everything: [how to write rules](../rules.md), [every key](../reference.md).\n"
    else:
        yield "Nothing: it is written only.\n"
    yield "## How it is written\n"
    if writer is None:
        yield "It is not: `detour convert` reads it and writes another language.\n"
    else:
        yield from _written(writer)


def _read(dialect: Dialect) -> Iterator[str]:
    module = import_module(f"detour.formats.{FILES.get(dialect.name, dialect.name.replace('-', '_'))}")
    yield _doc(module)
    yield _known_by(dialect)
    yield f"A line that redirects and names no status: {dialect.default_status}.\n"
    if dialect.comment:
        allow = f"{dialect.comment} detour: allow CHECK: reason"
        yield f"A finding is allowed by `{allow}`, on its line or on the one before.\n"


def _known_by(dialect: Dialect) -> str:
    ways = ["its content"] if dialect.detect is not None else []
    if dialect.files:
        ways.append(f"its name ({', '.join(f'`{file}`' for file in dialect.files)})")
    return f"A file is known by {' or '.join(ways)}.\n" if ways else "A file of it must be named as such.\n"


def _written(writer: Writer) -> Iterator[str]:
    module = sys.modules[writer.write.__module__]
    yield _doc(module)
    says: frozenset[str] = module.SAYS
    can = [MEANT[feature.name] for feature in FEATURES if feature.name in says]
    yield f"Beside pattern and Location it can say: {'; '.join(can) or 'nothing'}.\n"
    rows = [(MEANT[one.name], _otherwise(one.nearest)) for one in FEATURES if one.name not in says]
    if rows:
        yield "What it cannot say is listed as unsaid:\n"
        yield _table(("what a rule says", "what becomes of the rule"), rows)
    if (server := server_for(writer.name)) is not None:
        yield f"`--prove` asks {server.name} itself whether it answers as the rules do.\n"


def _otherwise(nearest: str) -> str:
    return "it is left out" if nearest == NOTHING_WRITTEN else nearest


def _title(name: str) -> str:
    dialect, writer = named(name), writer_for(name)
    found = dialect or writer
    assert found is not None
    return found.title


# --- text


def _doc(module: object) -> str:
    return f"{(module.__doc__ or '').strip()}\n"


def _yes(fact: bool) -> str:
    return "yes" if fact else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (columns, ["---"] * len(columns), *rows)
    return (
        "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
        + "\n"
    )


def pages() -> dict[str, Callable[[], Iterator[str]]]:
    """Every page, by its path below docs/."""
    found: dict[str, Callable[[], Iterator[str]]] = {f"checks/{INDEX}": checks, f"dialects/{INDEX}": dialects}
    found |= {f"checks/{check.name}.md": lambda check=check: check_page(check) for check in CHECKS}
    found |= {f"dialects/{name}.md": lambda name=name: dialect_page(name) for name in names()}
    return found


def page(path: str) -> str:
    """The text of one page."""
    return "\n".join(pages()[path]())


def stale() -> Iterator[Path]:
    """Pages of what is no more."""
    for folder in ("checks", "dialects"):
        yield from (
            file for file in sorted((HERE / folder).glob("*.md")) if f"{folder}/{file.name}" not in pages()
        )


if __name__ == "__main__":
    for path in pages():
        (HERE / path).parent.mkdir(exist_ok=True)
        (HERE / path).write_text(page(path), encoding="utf-8")
    for file in stale():
        file.unlink()
