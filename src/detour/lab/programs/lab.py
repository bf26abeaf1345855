"""What every program written in Python does: ask for a case, send it, tell the outcome, until there is none.

    from lab import Case, run

    def send(session: requests.Session, case: Case) -> tuple[int, str]:
        answer = session.request(case.method, case.url, headers=case.headers(), data=case.octets())
        return answer.status_code, answer.url

    run(send, requests.Session)

`send` returns status and URL of the response its client handed back, a redirect included, or raises what
its client raised. It raises `Unsupported(why)` where its client has no means of its own for what is asked.
A client lives for one case: cookies and connections of the one before are gone.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

PIECE = 8192  # octets of a stream at a time

Answer = tuple[int, str]  # the last status, and the URL it came from ("" if the client does not say)


class Unsupported(Exception):
    """This client cannot send such a thing by its own means."""


@dataclass(frozen=True)
class Part:
    """One part of a multipart form; `file` holds its octets, `filename` is empty for a plain field."""

    name: str
    filename: str
    media_type: str
    text: str
    file: Path


@dataclass(frozen=True)
class Case:
    """What is asked. `kind`: none, empty, form, json, multipart, large, file, stream, chunked or expect."""

    id: str
    token: str
    method: str
    url: str
    fields: list[tuple[str, str]]
    kind: str
    media_type: str
    length: int
    text: str  # of form and json
    pairs: list[tuple[str, str]]  # of form
    parts: list[Part]  # of multipart
    file: Path  # the octets, whatever the kind (but none)
    api: str
    times: int
    timeout: float

    def octets(self) -> bytes:
        """The content in memory."""
        return self.file.read_bytes()

    def opened(self) -> BinaryIO:
        """The content as an open file that can be rewound."""
        return self.file.open("rb")

    def stream(self) -> Iterator[bytes]:
        """The content as a generator, which can be read once."""
        with self.file.open("rb") as opened:
            while piece := opened.read(PIECE):
                yield piece

    def typed(self) -> list[tuple[str, str]]:
        """The fields to send, with the Content-Type of content whose type the client does not know itself."""
        own = self.kind in ("none", "empty", "multipart") or not self.media_type
        return self.fields if own else [*self.fields, ("Content-Type", self.media_type)]

    def headers(self) -> dict[str, str]:
        """`typed` as a dict; unsupported where a name occurs twice."""
        if len({name.lower() for name, _ in self.typed()}) < len(self.typed()):
            raise Unsupported("takes each field name once")
        return dict(self.typed())


class Repeatable:
    """Octets that can be iterated over again and again, of no length that anybody is told."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._octets), PIECE):
            yield self._octets[at : at + PIECE]


class Lab:
    """The lab, over one connection of the program's own."""

    def __init__(self) -> None:
        base = urlsplit(os.environ["DETOUR_LAB"])
        self._path = base.path
        self._client = quote(os.environ["DETOUR_LAB_CLIENT"], safe="")
        self._connection = http.client.HTTPConnection(base.hostname or "", base.port)

    def next(self) -> Case | None:
        """The next case; None when there is none left."""
        told = self._ask("GET", f"/next?client={self._client}")
        return _case(json.loads(told)) if told else None

    def tell(self, case: Case, said: dict[str, Any]) -> dict[str, Any]:
        """Tell the outcome; the verdict is the answer."""
        verdict: dict[str, Any] = json.loads(self._ask("POST", f"/outcome/{case.token}", json.dumps(said)))
        return verdict

    def _ask(self, method: str, path: str, content: str | None = None) -> bytes:
        self._connection.request(method, self._path + path, content)
        answer = self._connection.getresponse()
        octets = answer.read()
        if answer.status not in (200, 204, 404):
            raise RuntimeError(f"{method} {path}: {answer.status} {octets[:200]!r}")
        return octets


def _case(told: dict[str, Any]) -> Case:
    content = told["content"]
    parts = [
        Part(one["name"], one["filename"], one["type"], one.get("text", ""), Path(one["file"]))
        for one in content.get("parts", ())
    ]
    return Case(
        told["case"],
        told["token"],
        told["method"],
        told["url"],
        [(name, value) for name, value in told["fields"]],
        content["kind"],
        content["type"],
        content["length"],
        content.get("text", ""),
        [(name, value) for name, value in content.get("pairs", ())],
        parts,
        Path(content.get("file", os.devnull)),
        told["api"],
        told["times"],
        told["timeout"],
    )


def said_of(error: BaseException) -> dict[str, Any]:
    """What a program tells of an exception."""
    if isinstance(error, Unsupported):
        return {"unsupported": str(error)}
    return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]}


def run(
    send: Callable[[Any, Case], Answer],
    client: Callable[[], AbstractContextManager[Any]] = nullcontext,
    apis: tuple[str, ...] = ("http",),
) -> None:
    """Every case, each with a client of its own."""
    lab = Lab()
    while (case := lab.next()) is not None:
        try:
            _ensure(case, apis)
            with client() as opened:
                for _ in range(case.times):
                    status, url = send(opened, case)
            said: dict[str, Any] = {"status": status, "url": url}
        except Exception as error:  # what a client raises is what is asked
            said = said_of(error)
        lab.tell(case, said)


def run_async(
    send: Callable[[Any, Case], Awaitable[Answer]],
    client: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
    apis: tuple[str, ...] = ("http",),
) -> None:
    """As `run`, for a client that is awaited; the timeout is kept here."""
    asyncio.run(_run_async(send, client, apis))


async def _run_async(send: Any, client: Any, apis: tuple[str, ...]) -> None:
    lab = Lab()
    while (case := lab.next()) is not None:
        try:
            _ensure(case, apis)
            async with client() as opened:
                for _ in range(case.times):
                    status, url = await asyncio.wait_for(send(opened, case), case.timeout)
            said: dict[str, Any] = {"status": status, "url": url}
        except Exception as error:
            said = said_of(error)
        lab.tell(case, said)


def _ensure(case: Case, apis: tuple[str, ...]) -> None:
    if case.api not in apis:
        raise Unsupported(f"has no {case.api}")
