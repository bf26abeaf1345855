"""Flags of the commands that send requests, each said once, and what they make of them."""

from __future__ import annotations

import os
from typing import Annotated, get_args

import msgspec
import typer

from detour import __version__
from detour.audit.finding import SEVERITIES, Severity
from detour.audit.report import REPORTS
from detour.core.chain import Fields
from detour.core.policy import POLICIES, Policy
from detour.net.address import Mode
from detour.net.settings import HTTPVersion, TransportSettings, ignored_proxies

_WHOSE = "Whose eyes: " + ", ".join(POLICIES) + "."

PolicyName = Annotated[str, typer.Option("--policy", metavar="NAME", help=_WHOSE)]
Send = Annotated[bool, typer.Option("--send", help="Send unsafe requests, too, wherever the chain leads.")]
FailOn = Annotated[
    str, typer.Option(metavar="SEVERITY", help="Exit 1 on such a finding: note, warning, error, never.")
]
Guard = Annotated[
    str, typer.Option(metavar="MODE", help="Addresses a hop may connect to: hops, strict, off.")
]
Proxy = Annotated[str, typer.Option(metavar="URL", help="Send by this proxy; needs --guard off.")]
Resolve = Annotated[
    list[str], typer.Option(metavar="HOST:PORT:ADDRESS", help="The address of a name; repeatable.")
]
ConnectTo = Annotated[
    list[str], typer.Option(metavar="HOST:PORT:HOST:PORT", help="Connect elsewhere; repeatable.")
]
Cert = Annotated[str, typer.Option(metavar="FILE", help="A client certificate, PEM.")]
Key = Annotated[str, typer.Option(metavar="FILE", help="Its key, if in another file.")]
CACert = Annotated[str, typer.Option(metavar="FILE", help="Authorities to trust, PEM.")]
Insecure = Annotated[bool, typer.Option("--insecure", "-k", help="Accept any certificate.")]
HTTP11 = Annotated[bool, typer.Option("--http1.1", help="Speak HTTP/1.1 only.")]
HTTP2 = Annotated[bool, typer.Option("--http2", help="Speak HTTP/2 if the server does.")]
HTTP3 = Annotated[bool, typer.Option("--http3", help="Speak HTTP/3 if the server does.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="For one request, its answer included.")]
MaxHops = Annotated[
    int | None, typer.Option(metavar="N", help="Redirects to follow. [default: the policy's]")
]


# Sent unless written otherwise: some servers refuse who does not say these.
DEFAULT_FIELDS: Fields = (("User-Agent", f"detour/{__version__}"), ("Accept", "*/*"))


def with_defaults(written: Fields) -> Fields:
    """The default fields that are not written, then those that are; `Accept:` with no value leaves it out."""
    told = {name.lower() for name, _ in written}
    known = {name.lower() for name, _ in DEFAULT_FIELDS}
    defaults = (field for field in DEFAULT_FIELDS if field[0].lower() not in told)
    return (*defaults, *(field for field in written if field[1] or field[0].lower() not in known))


class Ways(msgspec.Struct, frozen=True):
    """What was typed about how requests are sent."""

    guard: str
    proxy: str
    resolve: tuple[str, ...]
    connect_to: tuple[str, ...]
    cert: str
    key: str
    cacert: str
    insecure: bool
    http: tuple[bool, bool, bool]  # 1.1, 2, 3
    timeout: float


def transport_settings(ways: Ways) -> TransportSettings:
    """Settings of a transport; a note about ignored proxies goes to stderr. Raises `DetourError`."""
    ignored = ignored_proxies(os.environ)
    if ignored and not ways.proxy:
        typer.echo(f"detour: {ignored}", err=True)
    if not 0 < ways.timeout <= 3600:
        raise typer.BadParameter("--timeout is in seconds: more than 0 and at most 3600")
    return TransportSettings(
        guard=_guard(ways.guard),
        http=_http(ways.http),
        timeout=ways.timeout,
        connect_timeout=min(10.0, ways.timeout),
        proxy=ways.proxy,
        resolve=ways.resolve,
        connect_to=ways.connect_to,
        ca=ways.cacert,
        client_cert=ways.cert,
        client_key=ways.key,
        insecure=ways.insecure,
    )


def policy(name: str, most_hops: int | None = None) -> Policy:
    """A row of `POLICIES`, with another limit if one is given; raises `typer.BadParameter`."""
    if name not in POLICIES:
        raise typer.BadParameter(f"{name!r} is no policy; there are {', '.join(POLICIES)}")
    if most_hops is None:
        return POLICIES[name]
    if not 0 <= most_hops <= 1000:
        raise typer.BadParameter("--max-hops is a number from 0 to 1000")
    return msgspec.structs.replace(POLICIES[name], limit=most_hops)


def fail_on(severity: str) -> Severity | None:
    """The least severity that fails; None for "never". Raises `typer.BadParameter`."""
    if severity == "never":
        return None
    for known in SEVERITIES:
        if known == severity:
            return known
    raise typer.BadParameter(f"--fail-on {severity!r}; write note, warning, error or never")


def report_format(name: str) -> str:
    """A name of `REPORTS`; raises `typer.BadParameter`."""
    if name not in REPORTS:
        raise typer.BadParameter(f"{name!r} is no format; there are {', '.join(REPORTS)}")
    return name


def _guard(mode: str) -> Mode:
    for known in get_args(Mode):
        if known == mode:
            return known  # type: ignore[no-any-return]
    raise typer.BadParameter(f"--guard {mode!r}; write {', '.join(get_args(Mode))}")


def _http(told: tuple[bool, bool, bool]) -> HTTPVersion:
    versions: tuple[HTTPVersion, ...] = ("1.1", "2", "3")
    chosen = [version for version, said in zip(versions, told, strict=True) if said]
    if len(chosen) > 1:
        raise typer.BadParameter("one HTTP version at a time: --http1.1, --http2 or --http3")
    return chosen[0] if chosen else "auto"
