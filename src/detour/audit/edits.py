"""The lines to write instead, in the language of the file: a status, a text, a line out, a line ahead.

Each yields no edit where none is sure; `remedies` says why. A test applies them and audits again.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import yaml

from detour.audit.blocks import TABLES, Block, block_of, paths
from detour.audit.finding import Edit
from detour.audit.survey import Place, lines_of
from detour.core.rule import Rule
from detour.errors import Span

Edits = tuple[Edit, ...]

# Words that some dialects have for a status.
_WORDS: dict[str, dict[int, str]] = {
    "apache": {301: "permanent", 302: "temp", 303: "seeother"},  # mod_alias: Redirect
    "nginx": {301: "permanent", 302: "redirect"},  # ngx_http_rewrite_module: rewrite
    "caddy": {301: "permanent", 302: "temporary"},  # redir
}
_NUMBER = r"(?<![\w/.:#?=&-]){0}(?![\w/.:%-])"


class StatusKey(msgspec.Struct, frozen=True):
    """Where a status stands in a language of nodes."""

    table: str  # the key whose table holds it
    key: str
    say: Callable[[int], str]


_ENVOY = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
STATUS_KEYS: dict[str, StatusKey] = {
    "gateway-api": StatusKey("requestRedirect", "statusCode", str),  # HTTPRequestRedirectFilter
    "istio": StatusKey("redirect", "redirectCode", str),  # HTTPRedirect
    "envoy": StatusKey("redirect", "response_code", lambda status: _ENVOY[status]),  # RedirectAction
    "cloudflare-rules": StatusKey("from_value", "status_code", str),  # Rulesets: redirect
}


def _row(place: Place) -> str:
    rows = lines_of(place.layer, place.rule.span.file)
    at = place.rule.span.line - 1
    return rows[at] if 0 <= at < len(rows) else ""


def _line(place: Place, line: int, text: str) -> Edits:
    return (Edit(Span(place.rule.span.file, line), 1, tuple(text.split("\n"))),)


def status(place: Place, wanted: int) -> Edits:
    """The rule's line with another status."""
    dialect, block = place.layer.dialect, block_of(place)
    if dialect == "ingress":
        return _status_of_annotation(place, wanted)
    if block is None:
        return ()
    if dialect == "vercel":
        return _status_of_vercel(place, block, wanted)
    if dialect in STATUS_KEYS:
        return _status_of_node(place, block, wanted)
    if dialect in TABLES:
        return _status_of_table(place, block, wanted)
    new = _status_in(place, _row(place), wanted)
    return _line(place, place.rule.span.line, new) if new not in ("", _row(place)) else ()


_VERCEL = re.compile(r'("status(?:Code)?"\s*:\s*)\d+|("permanent"\s*:\s*)(?:true|false)')


def _status_of_vercel(place: Place, block: Block, wanted: int) -> Edits:
    """`statusCode` of `redirects`, `status` of `routes`; `permanent` chooses of 308 and 307."""
    rows = lines_of(place.layer, block.file)
    for line in range(block.first, block.last + 1):
        found = _VERCEL.search(rows[line - 1])
        if found and found[1]:
            return _line(place, line, _VERCEL.sub(rf"\g<1>{wanted}", rows[line - 1], count=1))
        if found and wanted in (307, 308):
            said = "true" if wanted == 308 else "false"
            return _line(place, line, _VERCEL.sub(rf"\g<2>{said}", rows[line - 1], count=1))
    return ()


def _status_in(place: Place, row: str, wanted: int) -> str:
    """A line of its own with another status; "" where none is sure."""
    dialect, now = place.layer.dialect, place.rule.status
    found = list(re.finditer(_NUMBER.format(now), row))
    if found:
        one = found[0] if dialect == "nginx" else found[-1]
        return f"{row[: one.start()]}{wanted}{row[one.end() :]}"
    if dialect == "nginx" and (of_rewrite := _rewrite(row, wanted)):
        return of_rewrite
    word = _WORDS.get(dialect, {}).get(now, "")
    if dialect in ("apache", "caddy") and word and re.search(rf"(?<=[\s=]){word}\b", row):
        return re.sub(rf"(?<=[\s=]){word}\b", str(wanted), row, count=1)
    return _status_added(dialect, row, wanted)


def _rewrite(row: str, wanted: int) -> str:
    """nginx's `rewrite` says 301 and 302 only: `return` in a location of the same expression says others."""
    form = r'(\s*)rewrite\s+"?(\^[^\s"]*)"?\s+"?([^\s"?]+)"?\s+(?:permanent|redirect)\s*;\s*'
    found = re.fullmatch(form, row)
    if found is None:
        return ""
    indent, regex, to = found.groups()
    body = f"return {wanted} {to}$is_args$args;"
    return f'{indent}if ($uri ~ "{regex}") {{ {body} }}'


def _status_added(dialect: str, row: str, wanted: int) -> str:
    """A line that names no status, with one."""
    words = row.split()
    if dialect in ("netlify", "cloudflare-pages", "ipfs") and len(words) == 2:
        return f"{row.rstrip()} {wanted}"
    if dialect == "csv" and row.count(",") == 1 and '"' not in row:
        return f"{row.rstrip()},{wanted}"
    if dialect == "caddy" and words[:1] == ["redir"] and words[-1] != "{" and len(words) in (2, 3):
        return f"{row.rstrip()} {wanted}"
    if dialect == "haproxy" and " code " not in row:
        return re.sub(r"(redirect\s+(?:location|prefix|scheme)\s+\S+)", rf"\1 code {wanted}", row, count=1)
    if dialect == "apache":
        return _status_of_apache(row, words, wanted)
    return ""


def _status_of_apache(row: str, words: list[str], wanted: int) -> str:
    if words and words[0].lower() in ("redirect", "redirectmatch") and len(words) == 3:
        return row.replace(words[0], f"{words[0]} {wanted}", 1)
    if words and words[0].lower() == "rewriterule":
        return re.sub(r"(?<=[\[,])R(?=[\],])", f"R={wanted}", row, count=1)
    return ""


def _status_of_table(place: Place, block: Block, wanted: int) -> Edits:
    rows = lines_of(place.layer, block.file)
    for line in range(block.first + 1, block.last + 1):
        found = re.match(r"(\s*status\s*=\s*)\d+(.*)", rows[line - 1])
        if found:
            return _line(place, line, f"{found[1]}{wanted}{found[2]}")
    return _inserted(place, block, f"status = {wanted}")


def _inserted(place: Place, block: Block, text: str) -> Edits:
    """A key more in a table of TOML."""
    rows = lines_of(place.layer, block.file)
    inner = rows[block.first] if block.first < block.last else ""
    indent = inner[: len(inner) - len(inner.lstrip())]
    return (Edit(Span(block.file, block.first + 1), 0, (indent + text,)),)


def _status_of_node(place: Place, block: Block, wanted: int) -> Edits:
    where = STATUS_KEYS[place.layer.dialect]
    rows = lines_of(place.layer, block.file)
    found = [one for one in _tables(place, where) if _within(one, block)]
    if len(found) != 1 or not found[0].value:
        return ()
    said = where.say(wanted)
    for key, value in found[0].value:
        if key.value == where.key:
            row, at, end = rows[value.start_mark.line], value.start_mark.column, value.end_mark.column
            quote = row[at] if row[at] in "\"'" else ""
            return _line(place, value.start_mark.line + 1, f"{row[:at]}{quote}{said}{quote}{row[end:]}")
    mark = found[0].value[0][0].start_mark
    row = rows[mark.line]
    if found[0].flow_style:
        written = said if said.isdigit() else f'"{said}"'
        return _line(
            place, mark.line + 1, f'{row[: mark.column]}"{where.key}": {written}, {row[mark.column :]}'
        )
    new = f"{row[: mark.column]}{where.key}: {said}\n{' ' * mark.column}{row[mark.column :]}"
    return _line(place, mark.line + 1, new)


def _status_of_annotation(place: Place, wanted: int) -> Edits:
    """ingress-nginx: `-code` beside the annotation that redirects."""
    found = re.match(r"(\s*[\w./-]*/(?:permanent|temporal)-redirect)\s*:", row := _row(place))
    if found is None:
        return ()
    rows = lines_of(place.layer, place.rule.span.file)
    for path in paths("\n".join(rows), place.rule.span.line):
        for key, value in path[0][0].value:
            if key.value == f"{found[1].strip()}-code":
                line = value.start_mark.line + 1
                return _line(place, line, rows[line - 1].replace(str(place.rule.status), str(wanted), 1))
    return _line(place, place.rule.span.line, f'{row}\n{found[1]}-code: "{wanted}"')


def states_status(place: Place) -> bool | None:
    """Whether the rule names its status; None where that is not known."""
    dialect, block = place.layer.dialect, block_of(place)
    if block is None:
        return None
    if dialect in STATUS_KEYS:
        where = STATUS_KEYS[dialect]
        found = [one for one in _tables(place, where) if _within(one, block)]
        names = {key.value for one in found for key, _ in one.value}
        return where.key in names if len(found) == 1 else None
    row = _row(place)
    words = "|".join(("permanent", "temp", "temporary", "seeother", "redirect"))
    stated = re.search(
        rf"(?<![\w/.:-])30[1-8](?![\w/.-])|(?<=[\s=])(?:{words})(?=\s|$|[;,\]])", _values(dialect, row)
    )
    return stated is not None if _status_in(place, row, 307) else None


def _values(dialect: str, row: str) -> str:
    """What of a line may state a status: not the directive's own name."""
    return row.lower().partition("redirect")[2] if dialect in ("haproxy", "apache") else row


def _within(node: yaml.Node, block: Block) -> bool:
    return bool(block.first <= node.start_mark.line + 1 <= block.last)


def _tables(place: Place, where: StatusKey) -> list[yaml.MappingNode]:
    """The tables that hold a status, of the rule's item."""
    text = "\n".join(lines_of(place.layer, place.rule.span.file))
    for path in paths(text, place.rule.span.line):
        for mapping, key, value in path:
            if key == where.table and isinstance(value, yaml.MappingNode):
                return [value]
            found = [value for value in _below(mapping) if value[0] == where.table]
            if found:
                return [one for _, one in found]
    return []


def _below(node: yaml.Node) -> list[tuple[str, yaml.MappingNode]]:
    """Every table in a node, with its key."""
    found: list[tuple[str, yaml.MappingNode]] = []
    todo: list[yaml.Node] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, yaml.SequenceNode):
            todo += one.value
        elif isinstance(one, yaml.MappingNode):
            for key, value in one.value:
                todo.append(value)
                if isinstance(value, yaml.MappingNode):
                    found.append((str(key.value), value))
    return found


# --- a line out, a line ahead of another, a text


def removal(place: Place) -> Edits:
    """The rule taken out of its file."""
    block = block_of(place)
    if block is None or not _whole(place):
        return ()
    return _cut(place, block)


def _cut(place: Place, block: Block) -> Edits:
    if block.comma and not block.follows and block.leads:
        rows = lines_of(place.layer, block.file)
        before = block.first - 1
        kept = rows[before - 1].rstrip()
        return (Edit(Span(block.file, before), block.count + 1, (kept.removesuffix(","),)),)
    if not (block.leads or block.follows) and place.layer.dialect not in TABLES and block.count > 1:
        return () if place.layer.dialect != "apache" else (Edit(block.span, block.count, ()),)
    return (Edit(block.span, block.count, ()),)


def _whole(place: Place) -> bool:
    """Whether the rule's line holds nothing else."""
    row = _row(place).split(" #")[0].strip()
    if place.layer.dialect == "nginx":
        opened = row.count("{")
        return opened == row.count("}") and row.endswith((";", "}")) and row.count(";") == 1
    return not (place.layer.dialect == "caddy" and row.endswith("{"))


def ahead(place: Place, other: Rule) -> Edits:
    """The rule moved ahead of `other`, in a language where the first match answers."""
    block, before = block_of(place), block_of(place, other.span)
    if block is None or before is None or block.file != before.file or block.first <= before.last:
        return ()
    if not _whole(place):
        return ()
    cut = _cut(place, block)
    rows = list(lines_of(place.layer, block.file)[block.first - 1 : block.last])
    if block.comma:
        rows[-1] = rows[-1].rstrip().removesuffix(",") + ","
    gap = ("",) if place.layer.dialect in TABLES else ()
    return (Edit(before.span, 0, (*rows, *gap)), *cut) if cut else ()


def replaced(place: Place, old: str, new: str) -> Edits:
    """The rule's lines with `old` replaced once."""
    block = block_of(place)
    if block is None or not old or old == new:
        return ()
    rows = lines_of(place.layer, block.file)
    lines = [line for line in range(block.first, block.last + 1) if old in rows[line - 1]]
    own = place.rule.span.line
    line = own if own in lines else (lines[0] if len(lines) == 1 else 0)
    return _line(place, line, _last(rows[line - 1], old, new)) if line else ()


def _last(row: str, old: str, new: str) -> str:
    """`row` with the last `old` replaced: a Location stands behind its source."""
    at = row.rindex(old)
    return row[:at] + new + row[at + len(old) :]


def before(place: Place, *lines: str) -> Edits:
    """Lines ahead of the rule's."""
    block = block_of(place)
    if block is None:
        return ()
    row = lines_of(place.layer, block.file)[block.first - 1]
    indent = row[: len(row) - len(row.lstrip())]
    return (Edit(block.span, 0, tuple(f"{indent}{line}" if line else "" for line in lines)),)


_SCHEME = re.compile(r"""(\bscheme(?:_redirect)?["']?\s*:\s*["']?)http\b(?!:)""")


def key_of_scheme(place: Place) -> Edits:
    """Gateway API, Istio, Envoy: https in the key that states the scheme."""
    block = block_of(place)
    rows = lines_of(place.layer, place.rule.span.file)
    for line in range(block.first, block.last + 1) if block is not None else ():
        if _SCHEME.search(rows[line - 1]):
            return _line(place, line, _SCHEME.sub(r"\1https", rows[line - 1], count=1))
    return ()


def applied(texts: dict[str, str], edits: Edits) -> dict[str, str]:
    """The texts of files with the edits made."""
    done = {file: text.split("\n") for file, text in texts.items()}
    for edit in sorted(edits, key=lambda one: (one.span.line, one.count), reverse=True):
        rows = done[edit.span.file]
        rows[edit.span.line - 1 : edit.span.line - 1 + edit.count] = edit.lines
    return {file: "\n".join(rows) for file, rows in done.items()}


def key(place: Place, written: str) -> Edits:
    """A key of the rule's TOML table, written anew or put in."""
    block = block_of(place)
    if block is None or place.layer.dialect not in TABLES:
        return ()
    name = written.partition("=")[0].strip()
    rows = lines_of(place.layer, block.file)
    for line in range(block.first + 1, block.last + 1):
        if re.match(rf"\s*{name}\s*=", rows[line - 1]):
            indent = rows[line - 1][: len(rows[line - 1]) - len(rows[line - 1].lstrip())]
            return _line(place, line, indent + written)
    return _inserted(place, block, written)


def behind_location(place: Place, text: str) -> Edits:
    """nginx: something behind the Location of the rule's `return`."""
    row = _row(place)
    found = re.search(r"(\breturn\s+\d+\s+)(\"[^\"]*|[^\s;\"]+)", row)
    if found is None or block_of(place) is None:
        return ()
    return _line(place, place.rule.span.line, row[: found.end()] + text + row[found.end() :])
