"""The page of `detour lab serve` for clients that are driven by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from detour.lab.case import ORIGINS, Case, Origin
from detour.lab.session import Sessions

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Detour lab</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em }}
table {{ border-collapse: collapse }}
td, th {{ text-align: left; vertical-align: top; padding: .1em 1em .1em 0 }}
pre {{ background: #8882; padding: .6em }}
</style>
<h1>Detour lab</h1>
<p>Take a case, send what it asks for with redirects followed, tell the outcome, read the verdict:</p>
<pre>curl '{base}/case?client=me&amp;id={example}'
curl -L -X METHOD URL
curl -d '{{"status": 200}}' {base}/outcome/TOKEN</pre>
<p>With an empty outcome (<code>-d ''</code>) the status answered last counts as the client's. A program
asks <code>{base}/next?client=NAME</code> for one case after the other; <code>docs/lab-protocol.md</code>
tells how. A browser that opens <a href="{base}/programs/page.html">{base}/programs/page.html</a> runs its
cases by itself.</p>
<h2>Origins</h2>
<table>{origins}</table>
<p>The certificates of the TLS origins are signed by <a href="{base}/authority.pem">this authority</a>
(<code>{authority}</code>), made for this run and thrown away with it.</p>
<h2>Clients</h2>
<table>{clients}</table>
<h2>Cases</h2>
<table>{cases}</table>
"""


def index_page(sessions: Sessions, base: str, origins: Mapping[Origin, str], authority: Path) -> str:
    """HTML; `base` is the protocol's."""
    return _PAGE.format(
        base=escape(base),
        example=escape(sessions.cases[0].id if sessions.cases else ""),
        authority=escape(str(authority)),
        origins=_rows((letter, escape(url), escape(ORIGINS[letter])) for letter, url in origins.items()),
        clients=_rows(_client(name, sessions, base) for name in sessions.clients())
        or "<tr><td>Nobody has asked yet.",
        cases=_rows(_case(case, base) for case in sessions.cases),
    )


def _client(name: str, sessions: Sessions, base: str) -> tuple[str, str]:
    link = f"{base}/verdicts?client={quote(name)}"
    told = sessions.verdicts(name)
    return f'<a href="{escape(link)}">{escape(name)}</a>', f"{len(told)} verdicts"


def _case(case: Case, base: str) -> tuple[str, str, str]:
    link = f"{base}/case?id={quote(case.id)}&client=me"
    return f'<a href="{escape(link)}">{escape(case.id)}</a>', escape(case.title), escape(case.clause)


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in rows)
