"""`detour check`: contracts, rule files and lists of URLs against what is live, many at once."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain as joined
from types import FrameType
from typing import Annotated, TextIO

import msgspec
import typer

from detour.audit.finding import at_least
from detour.audit.report import REPORTS, Report, Result
from detour.audit.report_text import TextReport
from detour.cli import arguments, following
from detour.cli.following import Ways
from detour.cli.progress import Bar
from detour.core.chain import Fields, Outgoing
from detour.core.policy import FETCH
from detour.core.url import URL
from detour.errors import DetourError
from detour.follow.check import Manner, Settled
from detour.follow.check import check as settle_all
from detour.follow.claim import Claim
from detour.follow.consent import NOTHING_UNSAFE
from detour.follow.in_order import InOrder
from detour.follow.record import recorded
from detour.follow.resume import Journal
from detour.follow.sources import Asking, Source, fetched, open_sources
from detour.follow.trace import trace
from detour.net.pool import Pool
from detour.net.settings import TransportSettings
from detour.net.transport import Transport

_MOST_CONTENT = 64 * 1024  # octets of an answer's content that are read: redirects have less
_MOST_FETCHED = 50 * 1024 * 1024  # octets of a list or a sitemap at a URL (sitemaps.org)
_TITLE = "detour check"
_YOUNG = 20_000  # objects between two collections: requests under way hold some thousands, in no circle
_KEPT = frozenset({"html", "markdown"})  # reports that say what they are about, and of when


EXAMPLES = """\b
Examples:
  detour check contract.toml --format junit -o report.xml
  detour check moves.csv urls.txt sitemap.xml --origin https://shop.example
  detour check detours.toml --origin https://shop.example
  detour check urls.txt --record -o contract.toml
"""


class Pace(msgspec.Struct, frozen=True):
    """How fast to ask."""

    at_once: int
    per_host: int
    rate: float | None


class Output(msgspec.Struct, frozen=True):
    """What is written, and where."""

    format: str
    file: str
    record: bool


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Contracts, rule files, lists of URLs, CSV old,new, sitemaps; - is stdin.",
        show_default=False,
    ),
]
Origin = Annotated[str, typer.Option(metavar="URL", help="Where paths and rule files are asked.")]
Recording = Annotated[bool, typer.Option("--record", help="Write a contract of what is live.")]
Format = Annotated[str, typer.Option(metavar="NAME", help=", ".join(REPORTS) + ".")]
JSON = Annotated[bool, typer.Option("--json", help="As --format json.")]
Place = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write.")]
AtOnce = Annotated[int, typer.Option(metavar="N", min=1, max=4096, help="Requests at a time.")]
PerHost = Annotated[int, typer.Option(metavar="N", min=1, max=4096, help="Of these, to one host.")]
Rate = Annotated[
    float | None, typer.Option(metavar="N", help="Requests a second at most. [default: no limit]")
]
Retries = Annotated[int, typer.Option(metavar="N", min=0, max=10, help="Attempts after a network fault.")]
Resume = Annotated[
    str, typer.Option(metavar="FILE", help="Keep results there; go on from them after an interrupt.")
]
Header = Annotated[
    list[str], typer.Option("-H", "--header", metavar="FIELD", help="'Name: value'; repeatable.")
]


def check(
    files: Files,
    origin: Origin = "",
    send: following.Send = False,
    record: Recording = False,
    format: Format = "text",
    json: JSON = False,
    output: Place = "-",
    at_once: AtOnce = 64,
    per_host: PerHost = 8,
    rate: Rate = None,
    retries: Retries = 2,
    resume: Resume = "",
    header: Header = [],  # noqa: B006
    policy: following.PolicyName = "fetch",
    fail_on: following.FailOn = "error",
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
    """Hold many live URLs against contracts, rules and lists.

    Exit 1 when one fails. Lists ask with GET; an unsafe request is sent where a contract names its method, or
    with --send.
    """
    told = Output(following.report_format("json" if json else format), output, record)
    if record and resume:
        raise typer.BadParameter("--record writes everything anew; leave out --resume")
    if record and told.format != "text":
        raise typer.BadParameter("--record writes a contract; leave out --format")
    ways = Ways(
        guard, proxy, tuple(resolve), tuple(connect_to), cert, key, cacert, insecure,
        (http1_1, http2, http3), timeout,
    )  # fmt: skip
    settings = _settings(following.transport_settings(ways))
    asking = Asking(
        fetch=lambda url: _fetch(url, settings),
        now=time.time(),
        origin=str(URL.parse(origin)) if origin else "",
        policy=following.policy(policy, max_hops),
        fields=following.with_defaults(arguments.fields(header)),
        send=send,
    )
    manner = Manner(retries, following.fail_on(fail_on))
    pace = Pace(at_once, per_host, _rate(rate))
    run = _Run(open_sources(files, asking), settings, pace, manner, asking.fields)
    return run.recorded(told) if record else run.reported(told, resume)


def _rate(rate: float | None) -> float | None:
    if rate is not None and not 0 < rate <= 1e6:
        raise typer.BadParameter("--rate is in requests a second: more than 0")
    return rate


class _Run:
    """One run: its sources, how they are asked, and what is written."""

    def __init__(
        self,
        sources: list[Source],
        settings: TransportSettings,
        pace: Pace,
        manner: Manner,
        fields: Fields,
    ) -> None:
        told = tuple(one for source in sources for one in source.connect_to)
        settings = msgspec.structs.replace(settings, connect_to=(*settings.connect_to, *told))
        self._pool = Pool(settings, pace.at_once, pace.per_host, pace.rate)
        self._sources, self._manner, self._fields = sources, manner, fields
        self._outcomes: Counter[str] = Counter()
        totals = [source.total for source in sources]
        self._bar = Bar(None if None in totals else sum(one or 0 for one in totals))

    def reported(self, output: Output, resume: str) -> int:
        """Write a report; 1 if anything failed."""
        journal = Journal(resume, f"{self._manner.fail_on}") if resume else None
        try:
            with _written(output.file) as out:
                report = _report(output, out, self._sources)
                out.write(report.start())
                order = InOrder[Result](lambda result: self._bar.write(out, report.add(result)))
                try:
                    self._settle(lambda one: _keep(one, order, journal), journal)
                finally:
                    order.flush()
                    out.write(report.finish())  # a document is whole after an interrupt, too
                    out.flush()
        except KeyboardInterrupt:
            self._interrupted(journal, resume)
            raise
        except BaseException:
            if journal:
                journal.close()
            raise
        if journal:
            journal.finish()
        self._require_some()
        return 1 if self._outcomes["failed"] else 0

    def recorded(self, output: Output) -> int:
        """Write a contract; 1 if something could not be recorded."""
        with _written(output.file) as out:
            order = InOrder[str](lambda text: self._bar.write(out, text))
            try:
                self._settle(lambda one: self._record(one, order), None)
            finally:
                order.flush()
        self._require_some()
        return 1 if self._outcomes["unrecorded"] else 0

    def _settle(self, keep: Callable[[Settled], str], journal: Journal | None) -> None:
        entries = joined.from_iterable(source.entries for source in self._sources)
        gc.freeze()  # what is loaded by now stays; looking through it again and again finds nothing
        gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
        with self._bar, _interrupts() as held:
            for one in settle_all(entries, self._pool, self._manner, journal):
                with held():
                    self._outcomes[keep(one)] += 1
                    self._bar.advance(self._outcomes)

    def _record(self, one: Settled, order: InOrder[str]) -> str:
        if one.chain is None or not isinstance(one.claim, Claim):
            typer.echo(f"detour: {_place(one.result)}{one.result.detail}", err=True)
            order.add(one.number, "")
            return "unrecorded"
        least = self._manner.fail_on
        found = {finding.check for finding in at_least(least, one.result.findings)} if least else set()
        written = recorded(one.claim, one.chain, self._fields, found)
        order.add(one.number, f"{written}\n")
        return "unrecorded" if written.startswith("#") else "recorded"

    def _require_some(self) -> None:
        """A run over nothing proves nothing: an empty list is most likely a mistake."""
        if not self._outcomes.total():
            names = ", ".join(source.name for source in self._sources)
            raise DetourError(f"{names}: holds nothing to check; name a file with URLs or requests")

    def _interrupted(self, journal: Journal | None, resume: str) -> None:
        settled = sum(self._outcomes.values())
        how = f"; go on with --resume {resume}" if journal else "; --resume FILE would let it go on"
        typer.echo(f"detour: interrupted: {settled:,} settled{how}", err=True)
        if journal:
            journal.close()


def _keep(one: Settled, order: InOrder[Result], journal: Journal | None) -> str:
    """Note one result, and have it written in its turn."""
    if journal and one.chain is not None:
        journal.add(one.number, one.claim, one.result)
    order.add(one.number, one.result)
    return one.result.outcome


def _place(result: Result) -> str:
    return f"{result.span}: " if result.span else ""


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """Within, an interrupt ends waiting at once, and never parts a result from its place in a report."""
    state = {"held": False, "came": False}

    def came(_number: int, _frame: FrameType | None) -> None:
        state["came"] = True
        if not state["held"]:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def held() -> Iterator[None]:
        state["held"] = True
        try:
            yield
        finally:
            state["held"] = False
        if state["came"]:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, came)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _written(name: str) -> Iterator[TextIO]:
    if name == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        out = open(name, "w", encoding="utf-8")  # noqa: SIM115  # closed below; only opening is refused
    except OSError as error:
        raise DetourError(f"-o {name}: cannot be written: {error.strerror}; name another file") from None
    with out:
        yield out


def _report(output: Output, out: TextIO, sources: list[Source]) -> Report:
    if output.format == "text":
        return TextReport("", colour=arguments.coloured(out))
    title = _TITLE
    if output.format in _KEPT:
        names = [source.name for source in sources]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        title += f" {' '.join(names[:3])}{more}, {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}"
    return REPORTS[output.format](title)


def _settings(settings: TransportSettings) -> TransportSettings:
    """As given, and only what results are made of."""
    return msgspec.structs.replace(settings, most_content=_MOST_CONTENT, certificates=False)


def _fetch(url: str, settings: TransportSettings) -> bytes:
    request = Outgoing("GET", URL.parse(url), following.DEFAULT_FIELDS)
    whole = msgspec.structs.replace(settings, most_content=_MOST_FETCHED, most_kept=_MOST_FETCHED)
    with Transport(whole) as transport:
        return fetched(transport.run(trace(request, None, FETCH, NOTHING_UNSAFE)))
