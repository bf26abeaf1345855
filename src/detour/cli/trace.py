"""`detour trace`: one chain, hop by hop: who redirects, what is kept and lost, and what to change."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import msgspec
import typer

from detour.audit.finding import Severity, at_least
from detour.audit.report import REPORTS, Report, Result
from detour.cli import arguments, following, trace_flags
from detour.cli.following import Ways
from detour.cli.trace_request import Typed, typed_request
from detour.cli.trace_views import View, chain_view, har_view, matrix_view, preflight_view, with_findings
from detour.core.chain import Chain
from detour.core.policy import Policy
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL
from detour.errors import DetourError, URLError
from detour.follow.consent import NOTHING_UNSAFE, Consent
from detour.follow.curl_command import curl_command
from detour.follow.early import EXPECT
from detour.follow.har import read_har
from detour.follow.matrix import METHODS, matrix
from detour.follow.preflight import asking, preflight_of
from detour.follow.probe_open import probe_open
from detour.follow.trace import judge, one_hop
from detour.follow.trace import trace as exchange
from detour.net.settings import TransportSettings
from detour.net.transport import Transport

EXAMPLES = """\b
Examples:
  detour trace https://shop.example/v1/orders -d '{"article": 7}'
  detour trace https://shop.example/v1/orders --methods all
  detour trace https://shop.example/v1/orders -X PUT --preflight https://page.example
  detour trace --har recording.har https://shop.example/
"""


class Look(msgspec.Struct, frozen=True):
    """What is to be shown of a URL, besides its chain."""

    methods: str
    preflight: str
    expect: bool
    probe_open: bool
    curl: bool


_CHAIN_ALONE = Look("", "", False, False, False)


class Output(msgspec.Struct, frozen=True):
    """How it is printed, and when it fails."""

    format: str
    fail_on: str


def trace(
    url: trace_flags.URL = "",
    method: trace_flags.Method = "",
    data: trace_flags.Data = None,
    header: trace_flags.Header = [],  # noqa: B006
    cookie: trace_flags.Cookie = [],  # noqa: B006
    user: trace_flags.User = "",
    policy: following.PolicyName = "fetch",
    send: following.Send = False,
    fail_on: following.FailOn = "error",
    methods: trace_flags.Methods = "",
    preflight: trace_flags.Preflight = "",
    expect: trace_flags.Expect = False,
    probe_open: trace_flags.ProbeOpen = False,
    har: trace_flags.HAR = "",
    curl: trace_flags.Curl = False,
    json: trace_flags.JSON = False,
    format: trace_flags.Format = "text",
    max_hops: following.MaxHops = None,
    guard: following.Guard = "hops",
    proxy: following.Proxy = "",
    resolve: following.Resolve = [],  # noqa: B006
    connect_to: following.ConnectTo = [],  # noqa: B006
    cert: following.Cert = "",
    key: following.Key = "",
    cacert: following.CACert = "",
    insecure: following.Insecure = False,
    http1_1: following.HTTP11 = False,
    http2: following.HTTP2 = False,
    http3: following.HTTP3 = False,
    timeout: following.Timeout = 30.0,
) -> int:
    """Follow a URL: who redirects, what is lost, what to change.

    Unsafe requests are sent where -X or -d asks for them, to that origin alone; --send sends all. Exit 1: a
    finding at --fail-on, or no answer.
    """
    output = Output("json" if json else following.report_format(format), fail_on)
    following.fail_on(fail_on)
    look = Look(methods, preflight, expect, probe_open, curl)
    if har:
        if method or data is not None or send or look != _CHAIN_ALONE:
            raise typer.BadParameter("--har sends nothing; leave out what is to be sent or probed")
        return _print(_explained(har, url), output)
    if not url:
        raise typer.BadParameter("no URL; write detour trace URL, or --har FILE")
    url = _read_url() if url == "-" else url
    typed = _checked(typed_request(url, method, data, header, cookie, user, send), look, bool(method), send)
    ways = Ways(
        guard, proxy, tuple(resolve), tuple(connect_to), cert, key, cacert, insecure,
        (http1_1, http2, http3), timeout,
    )  # fmt: skip
    eyes, settings = following.policy(policy, max_hops), following.transport_settings(ways)
    with closing(typed):
        view = _looked(typed, look, eyes, settings)
    return _print(view, output)


def _read_url() -> str:
    """The one URL on standard input."""
    lines = [line for line in (raw.strip() for raw in sys.stdin) if line]
    if len(lines) != 1:
        what = "no URL" if not lines else f"{len(lines)} URLs"
        raise typer.BadParameter(f"{what} on standard input; write one, or give a list to `detour check -`")
    return lines[0]


def _checked(typed: Typed, look: Look, wrote_method: bool, send: bool) -> Typed:
    """The request with what a look adds to it; raises `typer.BadParameter` for looks that contradict."""
    if sum(map(bool, (look.methods, look.preflight, look.expect))) > 1:
        raise typer.BadParameter("one look at a time: --methods, --preflight or --expect")
    if look.methods and wrote_method:
        raise typer.BadParameter("--methods says which methods; leave out -X")
    if not look.expect:
        return typed
    if not send:
        raise typer.BadParameter(
            "--expect may carry the request out (RFC 9110 §10.1.1); add --send if that is meant"
        )
    if typed.request.content == "none":
        raise typer.BadParameter("--expect asks before content is sent; write some with -d")
    request = msgspec.structs.replace(typed.request, fields=(*typed.request.fields, EXPECT))
    return msgspec.structs.replace(typed, request=request)


def _looked(typed: Typed, look: Look, policy: Policy, settings: TransportSettings) -> View:
    with Transport(settings) as transport:
        view = _view(typed, look, policy, settings, transport)
        if not look.probe_open:
            return view
        chains = transport.run(probe_open(typed.request, policy))
    found = {(one.check, one.message): one for chain in chains for one in judge(chain).findings}
    return with_findings(view, tuple(one for one in found.values() if one.check == "open-location"))


def _view(
    typed: Typed, look: Look, policy: Policy, settings: TransportSettings, transport: Transport
) -> View:
    send = Consent(send=typed.consent.send)  # what was typed is one request, not one of every method
    if look.methods:
        asked = matrix(typed.request, typed.content, _methods(look.methods), policy, send)
        rows = transport.run(asked)
        return matrix_view(rows, _commands(rows, typed, settings) if look.curl else ())
    if look.preflight:
        question = preflight_of(typed.request, _origin(look.preflight))
        chain = transport.run(one_hop(asking(question, typed.request), None, policy, NOTHING_UNSAFE))
        return preflight_view(question, chain, _commands((chain,), typed, settings) if look.curl else ())
    chain = transport.run(exchange(typed.request, typed.content, policy, typed.consent))
    return chain_view(judge(chain), _commands((chain,), typed, settings) if look.curl else ())


def _commands(chains: tuple[Chain, ...], typed: Typed, settings: TransportSettings) -> tuple[str, ...]:
    return tuple(curl_command(hop.request, typed.curl, settings) for chain in chains for hop in chain.hops)


def _explained(file: str, url: str) -> View:
    """The chains of a recording that redirect; with a URL, those that ask for it."""
    try:
        octets = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise DetourError(f"--har {file}: {error.strerror}; name a file") from None
    try:
        chains = read_har(octets)
    except DetourError as error:
        raise DetourError(f"--har {file}: {error}") from None
    asked = [
        chain for chain in chains if not url or any(_begins(str(hop.request.url), url) for hop in chain.hops)
    ]
    redirecting = tuple(chain for chain in asked if _redirects(chain))
    return har_view(redirecting, len(asked) - len(redirecting), "" if asked else url)


def _redirects(chain: Chain) -> bool:
    return any(hop.response is not None and hop.response.status in REDIRECT_STATUSES for hop in chain.hops)


def _begins(url: str, wanted: str) -> bool:
    return url.startswith(wanted) or url.partition("://")[2].startswith(wanted)


def _methods(text: str) -> tuple[str, ...]:
    if text == "all":
        return METHODS
    names = dict.fromkeys(name.strip() for name in text.split(",") if name.strip())
    methods = tuple(map(arguments.method, names))
    if not methods:
        raise typer.BadParameter("no method; write all, or a list: GET,POST")
    return methods


def _origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454 §6.2); `null` is one."""
    if text == "null":
        return text
    try:
        return URL.parse(text).origin
    except URLError:
        raise typer.BadParameter(f"{text!r} is no origin; write https://shop.example") from None


def _print(view: View, output: Output) -> int:
    least = following.fail_on(output.fail_on)
    if output.format == "json":
        typer.echo(msgspec.json.format(msgspec.json.encode(view.document)).decode())
    elif output.format == "text":
        typer.echo("\n".join(view.lines), color=arguments.coloured(sys.stdout))
    else:
        typer.echo(_report(REPORTS[output.format]("detour trace"), view, least), nl=False)
    failed = least is not None and at_least(least, view.findings)
    return 1 if failed or not view.answered else 0


def _report(report: Report, view: View, least: Severity | None) -> str:
    results = (_judged(one, least) for one in view.results)
    return "".join([report.start(), *map(report.add, results), report.finish()])


def _judged(result: Result, least: Severity | None) -> Result:
    """The result, failed where something as grave as `least` was found."""
    fails = least is not None and at_least(least, result.findings)
    return msgspec.structs.replace(result, outcome="failed") if fails else result
