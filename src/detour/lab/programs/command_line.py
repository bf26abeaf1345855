"""Command-line clients: one run of the command a request. `command_line.py NAME` names a row of COMMANDS.

A row says how the command is told method, fields and content, and how status and URL are read off what it
printed. It is given the options its users give to have redirects followed, and those without which it would
ask again, draw progress or keep what came.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from lab import Answer, Case, Part, Unsupported, run


@dataclass(frozen=True)
class Command:
    """One command. `words` makes its arguments, `read` its answer; content on standard input is a pipe."""

    words: Callable[[Case], list[str]]
    read: Callable[[Case, subprocess.CompletedProcess[str]], Answer]
    piped: tuple[str, ...] = ()  # kinds that come by standard input


def send(case: Case) -> Answer:
    """One run of the command."""
    command = COMMANDS[sys.argv[1]]
    words = command.words(case)
    if case.kind in command.piped:
        with subprocess.Popen(["cat", str(case.file)], stdout=subprocess.PIPE) as pipe:
            return command.read(case, _run(words, case, pipe.stdout))
    return command.read(case, _run(words, case, None))


def _run(words: list[str], case: Case, stdin: IO[bytes] | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        stdin=stdin or subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=case.timeout + 1,
        check=False,
    )


# curl. `-d` and `-F` make a POST of themselves, `-T` a PUT; what is neither is told with `-X`, as users do.

_CURL = ("curl", "-sS", "-L", "-o", "/dev/null", "-w", "%{http_code} %{url_effective}")


def _curl(case: Case) -> list[str]:
    content, method = _curl_content(case)
    told = ["-I"] if (case.method, case.kind) == ("HEAD", "none") else ["-X", case.method]
    named = [] if case.method == method else told
    fields = case.fields if case.kind == "form" else case.typed()
    typed = [word for name, value in fields for word in ("-H", f"{name}: {value}")]
    return [*_CURL, "--max-time", str(case.timeout), *named, *typed, *content, case.url]


def _curl_content(case: Case) -> tuple[list[str], str]:
    """The arguments, and the method that they imply."""
    if case.method == "HEAD" and case.kind != "none":
        raise Unsupported("waits for the content that an answer to -X HEAD has not")
    octets = ["--data-binary", f"@{case.file}"]
    match case.kind:
        case "none":
            return [], "GET"
        case "empty":
            return ["-d", ""], "POST"
        case "json":
            return ["--json", f"@{case.file}"], "POST"
        case "form":
            return [w for n, v in case.pairs for w in ("--data-urlencode", f"{n}={v}")], "POST"
        case "multipart":
            return [word for part in case.parts for word in ("-F", _curl_part(part))], "POST"
        case "file":
            return ["-T", str(case.file)], "PUT"
        case "stream":
            return ["-T", "-"], "PUT"
        case "chunked":
            return ["-H", "Transfer-Encoding: chunked", *octets], "POST"
        case "expect":
            return ["-H", "Expect: 100-continue", *octets], "POST"
    return octets, "POST"


def _curl_part(part: Part) -> str:
    if not part.filename:
        return f"{part.name}={part.text}"
    return f"{part.name}=@{part.file};filename={part.filename};type={part.media_type}"


def _curl_answer(_: Case, ended: subprocess.CompletedProcess[str]) -> Answer:
    if ended.returncode:
        raise RuntimeError(ended.stderr.strip() or f"exit {ended.returncode}")
    status, _, url = ended.stdout.partition(" ")
    return int(status), url


# GNU Wget. It makes no forms and knows no chunks; it repeats what failed twenty times unless told not to.

_WGET = ("wget", "--server-response", "--tries=1", "--output-document=/dev/null")


def _wget(case: Case) -> list[str]:
    if case.kind in ("multipart", "stream", "chunked", "expect"):
        raise Unsupported(f"has no option for content of kind {case.kind}")
    content = [] if case.kind == "none" else [f"--body-file={case.file}"]
    typed = [f"--header={name}: {value}" for name, value in case.typed()]
    ca = f"--ca-certificate={os.environ['DETOUR_LAB_CA']}"
    return [*_WGET, ca, f"--timeout={case.timeout}", f"--method={case.method}", *typed, *content, case.url]


def _wget_answer(case: Case, ended: subprocess.CompletedProcess[str]) -> Answer:
    statuses = re.findall(r"^ *HTTP/1\.[01] (\d{3})", ended.stderr, re.MULTILINE)
    if ended.returncode not in (0, 8) or not statuses:  # 8: the server answered with an error
        raise RuntimeError(f"exit {ended.returncode}: {_last(ended.stderr)}")
    return int(statuses[-1]), ""


# GNU Wget2. Before 2.0 it names no method: HEAD is --spider, POST comes with --post-file.

_WGET2 = ("wget2", "--server-response", "--tries=1", "--output-document=/dev/null", "--no-robots")


def _wget2(case: Case) -> list[str]:
    ca = f"--ca-certificate={os.environ['DETOUR_LAB_CA']}"
    typed = [f"--header={name}: {value}" for name, value in case.typed()]
    return [*_WGET2, ca, f"--timeout={case.timeout:.0f}", *typed, *_wget2_content(case), case.url]


def _wget2_content(case: Case) -> list[str]:
    match case.method, case.kind:
        case "GET", "none":
            return []
        case "HEAD", "none":
            return ["--spider"]
        case "POST", "empty":
            return ["--post-data="]
        case "POST", "form" | "json" | "large" | "file":
            return [f"--post-file={case.file}"]
    raise Unsupported(f"has no option for a {case.method} with content of kind {case.kind}")


def _wget2_answer(_: Case, ended: subprocess.CompletedProcess[str]) -> Answer:
    printed = ended.stdout + ended.stderr
    statuses = re.findall(r"^ *HTTP/1\.[01] (\d{3})", printed, re.MULTILINE)
    if ended.returncode not in (0, 8) or not statuses:
        raise RuntimeError(f"exit {ended.returncode}: {_last(printed)}")
    return int(statuses[-1]), ""


# HTTPie. Content is text (--raw), a file, standard input, or fields that it encodes as a form.

_HTTPIE = ("http", "--follow", "--print=h", "--pretty=none")


def _httpie(case: Case) -> list[str]:
    fields = case.fields if case.kind in ("form", "multipart") else case.typed()
    typed = [f"{name}:{value}" if value else f"{name};" for name, value in fields]
    options, items = _httpie_content(case)
    stdin = [] if case.kind == "stream" else ["--ignore-stdin"]
    timeout = f"--timeout={case.timeout}"
    return [*_HTTPIE, *stdin, timeout, *options, case.method, case.url, *typed, *items]


def _httpie_content(case: Case) -> tuple[list[str], list[str]]:
    """Options, and items of the request."""
    match case.kind:
        case "none":
            return [], []
        case "empty" | "json":
            return ["--raw", case.text], []
        case "form":
            return ["--form"], [f"{name}={value}" for name, value in case.pairs]
        case "multipart":
            return ["--multipart"], [_httpie_part(part) for part in case.parts]
        case "large" | "file":
            return [], [f"@{case.file}"]
        case "stream":
            return ["--chunked"], []
        case "chunked":
            return ["--chunked"], [f"@{case.file}"]
    raise Unsupported(f"has no option for content of kind {case.kind}")


def _httpie_part(part: Part) -> str:
    return f"{part.name}@{part.file};type={part.media_type}" if part.filename else f"{part.name}={part.text}"


def _httpie_answer(_: Case, ended: subprocess.CompletedProcess[str]) -> Answer:
    statuses = re.findall(r"^HTTP/[0-9.]+ (\d{3})", ended.stdout, re.MULTILINE)
    if ended.returncode or not statuses:
        raise RuntimeError(f"exit {ended.returncode}: {_last(ended.stderr)}")
    return int(statuses[-1]), ""


# Detour's own tracer. `--send` lets it carry unsafe requests to other origins, as the other commands do.

_DETOUR = ("detour", "trace", "--json", "--send", "--fail-on", "never")


def _detour(case: Case) -> list[str]:
    typed = [word for name, value in case.typed() for word in ("-H", f"{name}: {value}")]
    trust = ["--cacert", os.environ["DETOUR_LAB_CA"]]
    told = [*_DETOUR, "-X", case.method, "--timeout", str(case.timeout), *trust, *typed]
    return [*told, *_detour_content(case), case.url]


def _detour_content(case: Case) -> list[str]:
    match case.kind:
        case "none":
            return []
        case "empty":
            return ["-d", ""]
        case "form" | "json" | "large" | "file":
            return ["-d", f"@{case.file}"]
        case "stream":
            return ["-d", "@-"]
        case "expect":
            return ["--expect", "-d", f"@{case.file}"]
    raise Unsupported(f"has no option for content of kind {case.kind}")


def _detour_answer(_: Case, ended: subprocess.CompletedProcess[str]) -> Answer:
    if not ended.stdout:
        raise RuntimeError(f"exit {ended.returncode}: {_last(ended.stderr)}")
    chain = json.loads(ended.stdout)
    if chain["end"] != "arrived":
        raise RuntimeError(f"{chain['end']}: {chain['end_detail']}")
    last = chain["hops"][-1]
    return last["status"], last["url"]


def _last(printed: str) -> str:
    """The last line that says anything."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return lines[-1] if lines else ""


COMMANDS = {
    "curl": Command(_curl, _curl_answer, piped=("stream",)),
    "wget": Command(_wget, _wget_answer),
    "wget2": Command(_wget2, _wget2_answer),
    "httpie": Command(_httpie, _httpie_answer, piped=("stream",)),
    "detour": Command(_detour, _detour_answer, piped=("stream",)),
}

if __name__ == "__main__":
    run(lambda _, case: send(case))
