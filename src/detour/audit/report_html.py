"""Results as one file to keep or to send: HTML with no script and nothing to load.

Filtering is three radio buttons and style sheet rules; the numbers, known only at the end, are shown at the
top by the order of the grid. A content security policy forbids everything but the style, so that even a
mistake in escaping could not run or fetch anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from detour.audit.folding import Told, folded, per_outcome
from detour.audit.printable import lines, one_line
from detour.audit.result import OUTCOMES, Result, Tally

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mute: #666;
  --passed: #13702f; --failed: #b3261e; --skipped: #8a5a00;
  --error: #b3261e; --warning: #8a5a00; --note: #1c5d99 }
@media (prefers-color-scheme: dark) { :root { --mute: #aaa;
  --passed: #6fd08c; --failed: #ff8a80; --skipped: #f2c14e;
  --error: #ff8a80; --warning: #f2c14e; --note: #8ec7ff } }
body { display: grid; gap: .75rem 1rem; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  font: 15px/1.5 system-ui, sans-serif; grid-template-columns: repeat(4, max-content) 1fr }
h1 { font-size: 1.4rem; margin: 0; order: -3 }
h1, footer, main { grid-column: 1 / -1; min-width: 0 }
footer { order: -2; color: var(--mute) }
label { order: -1; cursor: pointer; text-transform: capitalize }
code, pre { font: 13px/1.5 ui-monospace, monospace; margin: 0;
  overflow-wrap: anywhere; white-space: pre-wrap }
article { border: 1px solid var(--line); border-left: 4px solid var(--of); border-radius: 4px;
  padding: .4rem .75rem; margin: 0 0 .4rem; display: grid; gap: .3rem }
header { display: grid; grid-template-columns: 4.5rem 1fr max-content; gap: .5rem; align-items: baseline }
header b, dt b { color: var(--of) }
header span, dt span, dt code { color: var(--mute) }
header code { color: CanvasText; font-weight: 600 }
dl { margin: 0; display: grid; gap: .3rem } dd { margin: 0 0 0 1.25rem; color: var(--mute) }
dd pre { color: CanvasText; background: var(--soft); padding: .25rem .5rem; border-radius: 4px }
.passed { --of: var(--passed) } .failed { --of: var(--failed) } .skipped { --of: var(--skipped) }
.error { --of: var(--error) } .warning { --of: var(--warning) } .note { --of: var(--note) }
"""
_FILTERS = "".join(
    f"body:has(#show-{shown}:checked) .{hidden} {{ display: none }}\n"
    for shown in OUTCOMES
    for hidden in OUTCOMES
    if hidden != shown
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


class HTMLReport:
    """One self-contained page, in light or dark as its reader prefers."""

    def __init__(self, title: str) -> None:
        self._title = title or "Detour"
        self._tally = Tally(as_told=True)

    def start(self) -> str:
        """The head, the choice of outcomes, and the list opened."""
        title = _inline(self._title)
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title>\n<style>{_STYLE}{_FILTERS}</style></head>\n"
            f"<body><h1>{title}</h1>\n{''.join(_choices())}\n<main>\n"
        )

    def add(self, result: Result) -> str:
        """One article."""
        self._tally.add(result)
        return "".join(_article(result))

    def finish(self) -> str:
        """The numbers."""
        return f"</main>\n<footer>{self._tally}</footer></body></html>\n"


def _choices() -> Iterator[str]:
    for shown in ("all", *OUTCOMES):
        checked = " checked" if shown == "all" else ""
        yield f'<label><input type="radio" name="show" id="show-{shown}"{checked}> {shown}</label>'


def _article(result: Result) -> Iterator[str]:
    place = f" <span>{_inline(str(result.span))}</span>" if result.span else ""
    seconds = f"<span>{result.seconds:.3f} s</span>" if result.seconds > 0 else ""
    yield f'<article class="{result.outcome}"><header><b>{result.outcome}</b>'
    yield f"<span><code>{_inline(result.name)}</code>{place}</span>{seconds}</header>"
    said = "\n".join(filter(None, (result.detail, result.way)))
    if said:
        yield _block(said)
    if result.findings:
        found = (_finding(told, result) for told in folded(result.findings))
        yield f"<dl>{''.join(found)}</dl>"
    yield "</article>\n"


def _finding(told: Told, result: Result) -> str:
    finding = told.finding
    sure = "" if finding.confidence == "is" else " <span>(not certain)</span>"
    hop = f" <span>hop {finding.hop + 1}:</span>" if finding.hop >= 0 else ""
    place = f" <code>{_inline(str(finding.span))}</code>" if finding.span else ""
    head = f"<b>{finding.severity}</b>{place}{hop} {_inline(finding.message)}{sure}"
    new = finding.witness and not result.name.endswith(finding.witness)
    witness = f"<dd>seen with <code>{_inline(finding.witness)}</code></dd>" if new else ""
    witness += "".join(
        f"<dd><code>{_inline(one)}</code>: {_inline(becomes)}</dd>" for one, becomes in per_outcome(finding)
    )
    remedy = f"<dd>{_block(_steps(finding.remedy))}</dd>" if finding.remedy else ""
    names = f" <code>[{_inline(told.names)}]</code>"
    return f'<dt class="{finding.severity}">{head}{names}</dt>{witness}{remedy}'


def _steps(remedy: str) -> str:
    """Each thing to do behind an arrow; what is indented belongs to the line before."""
    written = remedy.split("\n")
    return "\n".join(f"  {line}" if line.startswith(" ") else f"→ {line}" for line in written if line)


def _inline(text: str) -> str:
    return escape(one_line(text))


def _block(text: str) -> str:
    # A line end directly after the tag is dropped by parsers (HTML §13.1.2.5): one is added for them to drop.
    return f"<pre>\n{escape(lines(text))}</pre>"
