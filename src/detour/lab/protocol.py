"""The protocol of `/lab`: a client in any language runs itself and reads its verdict back over HTTP.

    GET  cases.json?client=NAME        every case, each with a token of its own
    GET  case?id=ID&client=NAME        one case
    GET  next?client=NAME              the next case of that client's session; 204 when there is none
    POST outcome/TOKEN                 {"status": 200, "url": …}, {"error": …}, {"unsupported": …}: verdict
    GET  verdicts?client=NAME          all verdicts of that client
    GET  content/NAME                  octets to send
    GET  origins.json                  the URL of each origin, by its letter
    GET  authority.pem                 the certificate that the TLS origins' were signed with
    GET  programs/NAME                 a file of the shipped programs (the page for browsers among them)
    GET  /                             a page for people

docs/lab-protocol.md tells the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from detour.lab.case import Caller, Origin, Outcome
from detour.lab.described import ContentFiles, described
from detour.lab.index_page import index_page
from detour.lab.recording import Recording
from detour.lab.session import Sessions
from detour.lab.verdict import Judgement

PATH = "/lab"
_ERROR_SHOWN = 500  # characters of what a client says went wrong

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".pem": "application/x-pem-file",
}


class Said(msgspec.Struct, frozen=True):
    """What a client tells of itself: one of these three."""

    status: int = 0
    url: str | None = ""
    error: str = ""
    unsupported: str = ""

    def outcome(self) -> Outcome:
        """As it is judged."""
        url = self.url or ""
        if self.unsupported:
            return Outcome("unsupported", 0, self.unsupported[:_ERROR_SHOWN])
        if self.error or not self.status:
            return Outcome("error", self.status, self.error[:_ERROR_SHOWN] or "no status", url)
        return Outcome("answered", self.status, url=url)


class Reply(msgspec.Struct, frozen=True):
    """What is answered."""

    status: int
    content: bytes = b""
    media_type: str = "application/json"


class Asking(msgspec.Struct, frozen=True):
    """One request to the protocol, taken apart. `base` is where it was asked: links lead there again."""

    method: str
    words: tuple[str, ...]  # of the path, after /lab
    query: dict[str, str]
    content: bytes
    base: str

    @classmethod
    def parse(cls, method: str, target: str, content: bytes, origin: str) -> Asking:
        """`origin` is the one that was asked."""
        parts = urlsplit(target)
        words = tuple(unquote(word) for word in parts.path.removeprefix(PATH).strip("/").split("/"))
        return cls(method, words, dict(parse_qsl(parts.query)), content, origin + PATH)

    @property
    def client(self) -> str:
        """Who asks."""
        return self.query.get("client", "")

    @property
    def caller(self) -> Caller:
        """What the client is; a library unless it says otherwise."""
        told = self.query.get("caller")
        return next((known for known in get_args(Caller) if known == told), "library")


class Protocol:
    """Answers what is asked under `/lab`."""

    def __init__(
        self, sessions: Sessions, files: ContentFiles, authority: Path, origins: dict[Origin, str]
    ) -> None:
        self._sessions, self._files, self._authority, self._origins = sessions, files, authority, origins
        self._by_word: dict[tuple[str, str], Callable[[Asking], Reply]] = {
            ("GET", ""): self._index,
            ("GET", "cases.json"): self._cases,
            ("GET", "case"): self._case,
            ("GET", "next"): self._next,
            ("POST", "outcome"): self._outcome,
            ("GET", "verdicts"): self._verdicts,
            ("GET", "content"): self._content,
            ("GET", "origins.json"): lambda _: _json(self._origins),
            ("GET", "authority.pem"): self._authority_certificate,
            ("GET", "programs"): self._program,
        }

    def answer(self, asking: Asking) -> Reply:
        """Total: what nobody knows is 404, what cannot be read 400."""
        found = self._by_word.get((asking.method, asking.words[0]))
        if found is None:
            what = f"{asking.method} {PATH}/{'/'.join(asking.words)}"
            return _no(404, f"{what} is nothing; see docs/lab-protocol.md")
        return found(asking)

    def _index(self, asking: Asking) -> Reply:
        page = index_page(self._sessions, asking.base, self._origins, self._authority)
        return Reply(200, page.encode(), _TYPES[".html"])

    def _cases(self, asking: Asking) -> Reply:
        cases = (case for case in self._sessions.cases if asking.caller in case.runs_in)
        begun = (self._sessions.recordings.begin(case, asking.client) for case in cases)
        return _json([self._described(one, asking) for one in begun])

    def _case(self, asking: Asking) -> Reply:
        wanted = asking.query.get("id")
        for case in self._sessions.cases:
            if case.id == wanted:
                return _json(self._described(self._sessions.recordings.begin(case, asking.client), asking))
        return _no(404, f"{wanted!r} is no case; cases.json has them all")

    def _next(self, asking: Asking) -> Reply:
        if not asking.client:
            return _no(400, "say who asks: next?client=NAME")
        recording = self._sessions.of(asking.client, asking.caller).next()
        return Reply(204) if recording is None else _json(self._described(recording, asking))

    def _described(self, recording: Recording, asking: Asking) -> dict[str, Any]:
        return described(recording, asking.base, self._files)

    def _outcome(self, asking: Asking) -> Reply:
        recording = self._sessions.recordings.find(asking.words[-1])
        if recording is None:
            return _no(404, "that token is over, or never was; ask for the next case")
        try:
            said = msgspec.json.decode(asking.content or b"{}", type=Said)
        except msgspec.DecodeError as error:
            return _no(400, f'{error}; write {{"status": 200}}, {{"error": "…"}} or {{"unsupported": "why"}}')
        if said == Said():  # driven by hand: what was answered last is what the client has got
            said = Said(recording.last_status)
        return _json(_verdict(recording.case.id, self._sessions.outcome(recording, said.outcome())))

    def _verdicts(self, asking: Asking) -> Reply:
        return _json([_verdict(case, judged) for case, judged in self._sessions.verdicts(asking.client)])

    def _content(self, asking: Asking) -> Reply:
        octets = self._files.named(asking.words[-1])
        if octets is None:
            return _no(404, "no such content; take `href` from a case")
        return Reply(200, octets, "application/octet-stream")

    def _authority_certificate(self, _: Asking) -> Reply:
        return Reply(200, self._authority.read_bytes(), _TYPES[".pem"])

    def _program(self, asking: Asking) -> Reply:
        name = asking.words[-1]
        kind = _TYPES.get(Path(name).suffix)
        file = package_files("detour.lab") / "programs" / name
        if kind is None or "/" in name or not file.is_file():
            return _no(404, f"{name} is no page of the lab's programs")
        return Reply(200, file.read_bytes(), kind)


def _verdict(case: str, judgement: Judgement) -> dict[str, Any]:
    return {"case": case, **msgspec.to_builtins(judgement)}


def _json(value: Any) -> Reply:
    return Reply(200, msgspec.json.encode(value) + b"\n")


def _no(status: int, fact: str) -> Reply:
    return Reply(status, msgspec.json.encode({"error": fact}) + b"\n")
