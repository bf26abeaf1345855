"""The values of the lab: what is asked, what is played, what may happen, and what did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

Fields = tuple[tuple[str, str], ...]

ContentKind = Literal[
    "none", "empty", "form", "json", "multipart", "large", "file", "stream", "chunked", "expect"
]

# How a client hands content over: by the means it has for this, or it says that it has none.
KINDS: dict[ContentKind, str] = {
    "none": "no content is given",
    "empty": "content of no octets is given",
    "form": "pairs, encoded as application/x-www-form-urlencoded by the client's own encoder if it has one",
    "json": "a short text",
    "multipart": "a field and a file as multipart/form-data, by the client's own encoder",
    "large": "octets in memory, handed over at once",
    "file": "an open file that can be rewound",
    "stream": "a generator or stream that can be read once",
    "chunked": "octets in memory, sent with Transfer-Encoding: chunked",
    "expect": "octets in memory, sent with Expect: 100-continue",
}

Manner = Literal["drain", "silent", "early-close", "early-linger", "early-drain"]

# When an origin answers a request that has content.
MANNERS: dict[Manner, str] = {
    "drain": "sends 100 Continue if it is expected, reads everything, answers, keeps the connection",
    "silent": "as drain, and never sends 100 Continue",
    "early-close": "answers after the head, reads nothing more and closes: the client may see a reset",
    "early-linger": "answers after the head with Connection: close, half-closes, reads to the end, closes",
    "early-drain": "answers after the head, then reads and discards the content, keeps the connection",
}

RACE = "closed with content unread: a reset may come before the answer is read (RFC 9112 §9.6)"

AnswerKind = Literal["text", "large", "gzip-bomb"]
Origin = Literal["a", "p", "b", "s", "t", "f"]

# Literal addresses on loopback: no name is ever resolved.
ORIGINS: dict[Origin, str] = {
    "a": "http://127.0.0.1, where a case starts unless it says otherwise",
    "p": "http://127.0.0.1 at another port: another origin, the same host",
    "b": "http://127.0.0.2: another host",
    "s": "https://127.0.0.1: the host of a",
    "t": "https://127.0.0.2: the host of b",
    "f": "ftp://127.0.0.1, where nothing is to be had: who goes there is noted",
}

Form = Literal["kept", "rewritten"]
Caller = Literal["library", "browser"]
EVERYWHERE: frozenset[Caller] = frozenset({"library", "browser"})

START = "/{token}/0/start"
NEXT = "{next}"


def station_path(station: int) -> str:
    """The path of a station, its token still open."""
    return f"/{{token}}/{station}/here" if station else START


class Content(msgspec.Struct, frozen=True):
    """The content a client is asked to send; `contents.octets` has its octets."""

    kind: ContentKind
    media_type: str
    length: int


class Asked(msgspec.Struct, frozen=True):
    """What the client is told to send."""

    method: str
    content: Content
    origin: Origin = "a"
    fields: Fields = ()
    target: str = START
    times: int = 1  # the same request again, by the same client, after the one before has ended
    api: Literal["http", "websocket"] = "http"


class Answer(msgspec.Struct, frozen=True):
    """What one station answers. Placeholders in `locations` and `fields` are those of `filled`."""

    status: int
    locations: tuple[str, ...] = ()  # one field line each, UTF-8 on the wire; none: no Location
    fields: Fields = ()
    content: str = ""
    content_kind: AnswerKind = "text"
    manner: Manner = "drain"
    unless_cookie: str = ""  # a request with this `name=value` is answered as if the script were over
    then: Answer | None = None  # from the second visit on

    @property
    def early(self) -> bool:
        """Whether the answer does not wait for the content."""
        return self.manner.startswith("early")


ARRIVED = Answer(200, content="arrived\n", fields=(("Content-Type", "text/plain"),))


class Stop(msgspec.Struct, frozen=True):
    """A place where a request may arrive, and what the redirect to it allows to become of the one before."""

    place: str  # an absolute URL with placeholders
    forms: tuple[Form, ...] = ("kept",)  # `rewritten`: to GET, without content


Route = tuple[Stop, ...]


class Expected(msgspec.Struct, frozen=True):
    """Where the client may go after its first request. It may always stop before the end, if it says so."""

    routes: tuple[Route, ...]
    arrives: bool = True  # False: the routes end only because nobody may go on for ever

    @property
    def follow(self) -> bool:
        """Whether any request may follow the first."""
        return any(self.routes)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The verdicts on the request that no clause forbids, best first."""
        ways = [[stop.forms for stop in route] for route in self.routes if route and self.arrives]
        kept = any(all("kept" in forms for forms in way) for way in ways)
        rewritten = any("rewritten" in forms for way in ways for forms in way)
        return (*("kept",) * kept, *("rewritten",) * rewritten, "refused")


class Case(msgspec.Struct, frozen=True):
    """One question to a client. Ids are stable: they stand in baselines and in other people's bug reports."""

    id: str
    title: str
    group: str
    clause: str  # where the expected values stand
    asked: Asked
    script: tuple[Answer, ...]
    expected: Expected
    preflight: Answer | None = None  # to a CORS preflight; none: it is granted
    runs_in: frozenset[Caller] = EVERYWHERE
    timeout: float = 5.0
    slice: bool = False  # part of the short run

    @property
    def race(self) -> str:
        """Why its verdict rests on who is first, and another run may have another; "" for most."""
        early = any(answer.manner == "early-close" for answer in self.script)
        return RACE if early and self.asked.content.length else ""

    def answer(self, station: int, visit: int = 1, cookies: str = "") -> Answer:
        """What `station` answers to the `visit`-th request it gets in this run (from 1)."""
        if station >= len(self.script):
            return ARRIVED
        answer = self.script[station]
        if answer.unless_cookie and answer.unless_cookie in re.split(r";\s*", cookies):
            return ARRIVED
        return answer.then if visit > 1 and answer.then else answer


class Arrival(msgspec.Struct, frozen=True):
    """One request as it arrived, in the order of arrival."""

    station: int
    origin: Origin
    method: str
    target: str  # as received, octet by octet (Latin-1)
    fields: Fields  # names as received, values in Latin-1
    content: bytes  # without the chunked coding, whole up to 16 MiB
    complete: bool  # head and content were received as far as their framing says
    head: bytes  # raw, up to the empty line

    def values(self, name: str) -> tuple[str, ...]:
        """Every value of a field, in order."""
        return tuple(value for key, value in self.fields if key.lower() == name.lower())


class Outcome(msgspec.Struct, frozen=True):
    """What the client said of itself; hung and crashed are said by who watches it."""

    kind: Literal["answered", "error", "unsupported", "hung", "crashed"]
    status: int = 0  # of the last response it was given
    error: str = ""  # or why it is unsupported
    url: str = ""  # where the client believes it ended, if it says
    seconds: float = 0.0  # from the case handed out to this being said


class Record(msgspec.Struct, frozen=True):
    """One run of one case: all that is judged. `origins`: the URL of each letter, no slash at its end."""

    arrivals: tuple[Arrival, ...]
    outcome: Outcome
    origins: dict[Origin, str]
    token: str


TOKEN = re.compile(r"/(t[0-9a-f]{15})/")
_STATION = re.compile(r"/([0-9]{1,3})(?=[/?#]|$)")


def address_of(target: str) -> tuple[str, int] | None:
    """Token and station of a request target, wherever in it a strange reading of a Location has put them."""
    token = TOKEN.search(target)
    stations = _STATION.findall(target)
    return (token[1], int(stations[-1])) if token and stations else None


def filled(template: str, origins: Mapping[Origin, str], token: str, station: int = 0) -> str:
    """`template` with its placeholders replaced.

    `{a}` … `{t}`: the origin (scheme and authority), `{a.authority}` … its authority; `{token}`; `{here}`:
    the path of `station`, `{next}`: that of the one after it; `{long}`: 8192 letters.
    """
    values = {"here": station_path(station), "next": station_path(station + 1), "long": "x" * 8192}
    for letter, base in origins.items():
        values |= {letter: base, f"{letter}.authority": base.partition("//")[2]}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template.replace("{token}", token)
