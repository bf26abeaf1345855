"""Every rule file and configuration of $DETOUR_DATA, read: `python -m tests.formats.data_table [--measure]`.

A row each: the dialect it is taken for and by what, its rules, the lines of it that are not understood, the
lines that a grep of redirect directives finds, and the share of the one in the other. `--measure` adds time
and memory of large files, each read in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from detour.errors import RuleError
from detour.formats.dialects import NAMES, detected
from detour.load import load_layer
from tests.formats.dialect_data import DATA

# What a redirect is written with, by dialect: a line that it is found in counts.
GREP = {
    "netlify": r"^[ \t]*(?:/|https?://)",
    "netlify-toml": r"^[ \t]*\[\[[ \t]*redirects[ \t]*\]\]|^[ \t]*\[redirects\]|^[ \t]*redirects[ \t]*=",
    "vercel": r'"(?:permanent|statusCode|cleanUrls|trailingSlash)"\s*:|"src"\s*:.*"status"\s*:\s*30[12378]',
    "vercel-bulk": r'^/|"source"\s*:',
    "gateway-api": r"type:\s*RequestRedirect",
    "envoy": r"\b(?:redirect:\s|require_tls:\s*(?:all|external_only))",
    "caddy": r"^[ \t]*(?:@\S+[ \t]+)?redir\b",
    "apache": r"(?i)^\s*(?:Redirect(?:Match|Permanent|Temp)?\s+\S"
    r"|RewriteRule\s.*\[(?:[^\]]*,)?\s*R(?:edirect)?(?:=[^\]]*)?[\],]"
    r"|RewriteRule\s+\S+\s+\"?https?:(?!.*\[[^\]]*\bP\b))",
    "nginx": r"(?:^|[;{}\s])(?:return\s+[\"']?(?:30[12378]\b|https?:|\$scheme)"
    r"|rewrite\s+\S+\s+(?:https?:|\S+\s+(?:redirect|permanent)\b)|error_page\s[^;]*https?:)",
}


class Source(msgspec.Struct, frozen=True):
    """Files of one kind: the first row whose glob fits a file is its row."""

    glob: str
    dialect: str = ""  # what each must be taken for; "" for what is no configuration
    told: bool = False  # whether neither content nor name tells it, so that it must be said
    why: str = ""  # why no configuration, or why more than the bar may be not understood


_ON_PURPOSE = "wrong on purpose: its own program refuses it"
_CONDITION = "Country, Language and Role: what Netlify knows of a visitor"
_SIGNED = "a signed proxy: no redirect"
_FIXTURES = "netlify-redirect-parser/tests/fixtures"
_GIXY = "gixy/tests/plugins/simply"

SOURCES = (
    Source("*SOURCE.txt", why="where it is from"),
    Source("*LICEN[CS]E*", why="a licence"),
    Source("*README.md", why="about the folder"),
    Source("*cases.json", why="a table of cases, for the tests of its dialect"),
    Source("*cases.jsonl", why="a table of cases of clients"),
    Source("netlify-redirect-parser/expected_*.json", why="a table of what Netlify's parser says"),
    Source("openstack-htaccess/*/redirect-tests.txt", why="a table of cases, for the tests of Apache"),
    Source("redirectionio/router_tests.json", why="read through tests/formats/test_redirectionio.py"),
    Source("transition-config/*", why="read through tests/formats/test_transition_config.py"),
    Source("url-pattern/*", why="a table of cases of URL Pattern"),
    Source("url-resolution/*", why="a table of cases of URL"),
    Source("caddy/redir_syntax.json", why="a table of Caddyfiles and whether Caddy takes them"),
    Source("envoy-route-tests/internal_redirect.json", why="a table of cases, which the client does not see"),
    Source("*/config.json", why="the severity of a check of gixy"),
    Source("*/.gitkeep", why="nothing"),
    Source("caddy/*/php_fastcgi_expanded_form.*", "caddy", told=True, why="it depends on the file system"),
    Source("caddy/*.caddyfiletest", "caddy", told=True),
    Source("envoy-route-tests/*.yaml", "envoy"),
    Source("gateway-api-conformance/manifests/*", "gateway-api"),
    Source("gateway-api-site-_redirects/_redirects", "netlify"),
    Source("gateway-api-site-_redirects/netlify.toml", "netlify-toml"),
    Source(f"{_FIXTURES}/netlify_config/invalid_[ot]*", "netlify-toml", told=True, why=_ON_PURPOSE),
    Source(f"{_FIXTURES}/netlify_config/empty.toml", "netlify-toml", told=True),
    Source(f"{_FIXTURES}/netlify_config/invalid_*", "netlify-toml", why=_ON_PURPOSE),
    Source(f"{_FIXTURES}/netlify_config/conditions_*", "netlify-toml", why=_CONDITION),
    Source(f"{_FIXTURES}/netlify_config/from_no_slash.toml", "netlify-toml", why="`from` has no slash"),
    Source(f"{_FIXTURES}/netlify_config/*sign*", "netlify-toml", why=_SIGNED),
    Source(f"{_FIXTURES}/netlify_config/complex.toml", "netlify-toml", why=_CONDITION),
    Source(f"{_FIXTURES}/netlify_config/minimal.toml", "netlify-toml", why=_CONDITION),
    Source(f"{_FIXTURES}/netlify_config/with_ratelimit.toml", "netlify-toml", why="a limit on how often"),
    Source(f"{_FIXTURES}/netlify_config/*", "netlify-toml"),
    Source(f"{_FIXTURES}/redirects_file/invalid_no_to_[ns]*", "netlify", told=True, why=_ON_PURPOSE),
    Source(f"{_FIXTURES}/redirects_file/invalid_mistaken_headers", "netlify", told=True, why=_ON_PURPOSE),
    Source(f"{_FIXTURES}/redirects_file/empty", "netlify", told=True),
    Source(f"{_FIXTURES}/redirects_file/invalid_*", "netlify", why=_ON_PURPOSE),
    Source(f"{_FIXTURES}/redirects_file/conditions_*", "netlify", why=_CONDITION),
    Source(f"{_FIXTURES}/redirects_file/signed*", "netlify", why=_SIGNED),
    Source(f"{_FIXTURES}/redirects_file/*", "netlify"),
    Source("openstack-htaccess/*/htaccess", "apache"),
    Source(
        "httpd-tests/*",
        "apache",
        why="a path changed before, <LocationMatch>, Apache 2.5, a folder whose root another file names",
    ),
    Source("nginx-tests/*", "nginx", why="a rewritten path that is matched again"),
    Source("vercel-routing-utils/files/*sample.csv", "vercel-bulk"),
    Source("vercel-routing-utils/files/*sample.json", "vercel-bulk"),
    Source("vercel-routing-utils/files/*[rR]edirects[12D.]*", "vercel-bulk"),
    Source("vercel-routing-utils/files/*invalid*", "vercel", why=_ON_PURPOSE),
    Source("vercel-routing-utils/files/*23-custom-routes-verbose*", "vercel", why="it has comments: no JSON"),
    Source("vercel-routing-utils/files/*", "vercel"),
    Source("crossplane/*/missing-semicolon/*", "nginx", why=_ON_PURPOSE),
    Source("crossplane/*/not-included.conf", "nginx", told=True, why=_ON_PURPOSE),
    Source("crossplane/*/includes-regular/conf.d/[bf]*.conf", "nginx", told=True, why=_ON_PURPOSE),
    Source("crossplane/*", "nginx", why="`asdf…` without a semicolon, and an include of what is not there"),
    Source(f"{_GIXY}/*.conf", "nginx", told=True),
)

# A file that is no text that can be read: the fact.
REFUSED = {"crossplane/tests/configs/non-unicode/nginx.conf": "not UTF-8"}

# Marks in templates of configurations, which a test's own framework fills in.
FILLED_IN = {
    "httpd-tests/*": (
        ("@SERVERNAME@", "localhost"), ("@servername@", "localhost"), ("@PORT@", "8529"),
        ("<VirtualHost cve_2011_3368_rewrite>", "Listen 80\n<VirtualHost *:8530>"),
        ("<VirtualHost proxy_http_reverse>", "<VirtualHost *:8531>"),
        ("<VirtualHost proxy_http_nofwd>", "<VirtualHost *:8532>"),
        ("<VirtualHost cve_2011_3368>", "<VirtualHost *:8533>"),
        ("<VirtualHost mod_headers>", "<VirtualHost *:8534>"), (":error_document>", ":8535>"),
        (":http_unsafe>", ":8536>"), (":http_strict>", ":8537>"),
        ("<VirtualHost remote_ip>", "<VirtualHost *:8538>"),
        ("<VirtualHost mod_echo>", "<VirtualHost *:8539>"),
        ("<VirtualHost mod_echo_ssl>", "<VirtualHost *:8540>"),
        ("@limitrequestlinex2@", "16380"), ("@limitrequestline@", "8190"), ("@SERVERROOT@", "/srv/t"),
        ("@inherit_documentroot@", "/srv/htdocs"),
    ),
    "nginx-tests/*": (
        ("%%TEST_GLOBALS%%", ""), ("%%TEST_GLOBALS_HTTP%%", ""), ("%%TESTDIR%%", "/srv/t"), ("%%", ""),
    ),
}  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """What became of one file."""

    file: str
    dialect: str  # "": none
    by: str  # content, name, told; "" where it is not read
    rules: int = 0
    not_understood: int = 0  # lines
    found: int = 0  # lines that the grep finds
    fact: str = ""  # why it is refused, or left out
    why: str = ""  # as in `Source`

    @property
    def share(self) -> float:
        """Of the lines that redirect, those that are not understood."""
        return self.not_understood / max(1, self.found)

    @property
    def folder(self) -> str:
        return self.file.partition("/")[0]


def source(name: str) -> Source | None:
    """The row of SOURCES of a file, by its path below the data folder."""
    return next((one for one in SOURCES if fnmatch(name, one.glob)), None)


def files() -> list[str]:
    """Every file of the data folder, by its path there."""
    return sorted(str(path.relative_to(DATA)) for path in DATA.rglob("*") if path.is_file())


def rows() -> Iterator[Row]:
    """Every file, read. Nothing but `RuleError` is caught: a reader must not raise."""
    with tempfile.TemporaryDirectory() as folder:
        for name in files():
            yield _row(name, source(name), Path(folder))


def _row(name: str, known: Source | None, folder: Path) -> Row:
    if known is None:
        return Row(name, "", "", fact="no row of SOURCES")
    if known.dialect == "":
        return Row(name, "", "", fact=f"no configuration: {known.why}")
    if known.dialect not in NAMES:
        return Row(name, known.dialect, "", fact="no reader yet")
    path = prepared(name, folder)
    try:
        return _read(name, path, known)
    except RuleError as error:
        return Row(name, known.dialect, "", fact=error.faults[0].fact, why=known.why)


def _read(name: str, path: Path, known: Source) -> Row:
    text = path.read_text("utf-8", "replace")
    found, anywhere = detected(path.name, text), detected("unnamed", text)
    by = "told" if found is None else "name" if anywhere is None else "content"
    layer = load_layer(path, dialect=known.dialect if known.told and found is None else "")
    places = {(fault.span.file, fault.span.line) for fault in layer.not_understood}
    grep = re.compile(GREP[layer.dialect]) if layer.dialect in GREP else None
    lines = [line for text in layer.texts.values() for line in text.splitlines()]
    return Row(
        name,
        layer.dialect,
        by,
        sum(1 for _ in layer.rules),
        len(places),
        sum(
            1
            for line in lines
            if grep is not None and grep.search(line) and not _comment(line, layer.comment)
        ),
        why=known.why,
    )


def _comment(line: str, comment: str) -> bool:
    return bool(comment) and line.lstrip().startswith(comment)


def prepared(name: str, folder: Path) -> Path:
    """The file, or a copy of it with the marks of its framework filled in, or cut out of a test."""
    path = DATA / name
    marks = next((found for glob, found in FILLED_IN.items() if fnmatch(name, glob)), ())
    text = path.read_text("utf-8", "replace") if marks or name.endswith(".caddyfiletest") else ""
    for mark, value in marks:
        text = text.replace(mark, value)
    if name.endswith(".caddyfiletest"):
        text = text.partition("\n----------")[0]
    if not text:
        return path
    copy = folder / path.name
    copy.write_text(text)
    return copy


# ---- the table


def printed(found: Iterable[Row]) -> Iterator[str]:
    """The files that are read or refused, totals by folder, and what is no configuration in one line each."""
    read = [row for row in found if row.dialect]
    yield f"{'file':<72} {'dialect':<13} {'by':<7} {'rules':>6} {'not':>4} {'grep':>6} {'share':>6}"
    for row in read:
        share = "" if not row.by else f"{100 * row.share:.0f} %"
        yield (
            f"{_short(row.file):<72} {row.dialect:<13} {row.by:<7} {row.rules:>6} {row.not_understood:>4} "
            f"{row.found:>6} {share:>6}{' refused: ' + row.fact if row.fact else ''}"
        )
    yield ""
    yield f"{'folder':<28} files refused  rules  not understood  grep  share  (without files with a reason)"
    for folder in (*sorted({row.folder for row in read}), ""):
        yield _total(folder or "all", [row for row in read if folder in ("", row.folder)])


def _short(name: str) -> str:
    return name if len(name) <= 72 else f"…{name[-71:]}"


def _total(name: str, read: list[Row]) -> str:
    missed, found = sum(row.not_understood for row in read), sum(row.found for row in read)
    plain = [row for row in read if not row.why]
    rest, of = sum(row.not_understood for row in plain), sum(row.found for row in plain)
    refused, rules = sum(not row.by for row in read), sum(row.rules for row in read)
    return (
        f"{name:<28} {len(read):>5} {refused:>7} {rules:>6}  {missed:>14} {found:>5} "
        f"{100 * missed / max(1, found):>4.1f} %  ({rest} of {of}: {100 * rest / max(1, of):.1f} %)"
    )


# ---- time and memory


class Measured(msgspec.Struct, frozen=True):
    """Reading one file: seconds by the clock and of the processor, and the peak of the process in MiB."""

    rules: int
    seconds: float
    processor: float
    peak: float
    before: float  # the peak before the file was opened


def measure(path: Path, dialect: str) -> Measured:
    """Read a file in a process of its own."""
    command = [sys.executable, "-m", "tests.formats.data_table", "--one", str(path), dialect]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return msgspec.convert(json.loads(done.stdout), Measured)


def _one(path: str, dialect: str) -> Measured:
    detected("unnamed", "")  # the readers are loaded
    before = _peak()
    clock, processor = time.perf_counter(), time.process_time()
    layer = load_layer(path, dialect=dialect)
    seconds, used = time.perf_counter() - clock, time.process_time() - processor
    return Measured(len(layer.ruleset.rules), seconds, used, _peak(), before)


def _peak() -> float:
    """Of this process alone, in MiB: ru_maxrss would begin with the parent's."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def written(path: Path, count: int) -> None:
    """A CSV of so many redirects."""
    with path.open("w") as out:
        out.writelines(
            f"/old/{number:07},https://new.example.test/{number:07},307\n" for number in range(count)
        )


def measurements() -> Iterator[str]:
    """The 45,000 lines of Netlify's fixture, and a CSV of a million."""
    large = DATA / _FIXTURES / "redirects_file" / "large_45000_redirects_file"
    with tempfile.TemporaryDirectory() as folder:
        million = Path(folder) / "million.csv"
        written(million, 1_000_000)
        for path, dialect in ((large, "netlify"), (million, "csv")):
            got = measure(path, dialect)
            yield (
                f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB, {got.rules} rules, {got.seconds:.2f} s "
                f"({got.processor:.2f} s of the processor), peak {got.peak:.0f} MiB ({got.before:.0f} before)"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="time and memory, too")
    parser.add_argument("--one", nargs=2, metavar=("PATH", "DIALECT"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        sys.stdout.write(json.dumps(msgspec.to_builtins(_one(*chosen.one))))
        return
    lines = [*printed(rows()), *(measurements() if chosen.measure else ())]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
