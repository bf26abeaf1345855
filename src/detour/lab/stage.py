"""The lab while it is open: origins, the runs of cases on them, and the protocol they all speak."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from detour.core.chain import Fields
from detour.lab.authority import Authority, make_authority
from detour.lab.case import Case, address_of
from detour.lab.described import ContentFiles
from detour.lab.ftp import converse
from detour.lab.origins import ADDRESSES, Connection, Letter, Origins
from detour.lab.playing import cors_fields, http_head, play
from detour.lab.protocol import PATH, Asking, Protocol, Reply
from detour.lab.recording import Recordings, is_preflight
from detour.lab.session import Sessions
from detour.lab.wire import Content, Head


class Stage:
    """Open from birth to `close`."""

    def __init__(self, folder: Path, cases: Sequence[Case], ports: Mapping[Letter, int]) -> None:
        """Files go to `folder`; ports not told are the kernel's. Raises `LabError`."""
        self.folder = folder
        self.authority: Authority = make_authority(folder, ADDRESSES)
        self.recordings = Recordings(lambda: self.origins.bases)
        self.sessions = Sessions(cases, self.recordings)
        self.files = ContentFiles(_made(folder / "content"))
        self.origins = Origins(self.authority, self._attend, self._converse, ports)
        self._protocol = Protocol(self.sessions, self.files, self.authority.certificate, self.origins.bases)
        self.origins.open()

    @property
    def base(self) -> str:
        """The protocol, where programs ask it: an origin of its own."""
        return self.origins.base("lab") + PATH

    @property
    def page(self) -> str:
        """The protocol at origin `a`, for people and for pages of browsers."""
        return self.origins.base("a") + PATH

    def close(self) -> None:
        """Nobody is listened to any more."""
        self.origins.close()

    def _attend(self, connection: Connection, head: Head) -> bool:
        path = _path(head.target)
        if path == PATH or path.startswith(f"{PATH}/"):
            return self._consult(connection, head)
        address = address_of(head.target)
        recording = self.recordings.find(address[0]) if address else None
        if address is None or recording is None or connection.letter == "lab":
            return _reply(connection, head, Content(), Reply(404, b"nothing is played here\n", "text/plain"))
        return play(connection, head, recording, address[1], connection.letter)

    def _converse(self, connection: Connection) -> None:
        """One connection to the origin that speaks FTP."""

        def visit(path: str, line: bytes) -> None:
            address = address_of(path)
            recording = self.recordings.find(address[0]) if address else None
            if address and recording:
                recording.visit(address[1], "f", path, line)

        converse(connection, visit)

    def _consult(self, connection: Connection, head: Head) -> bool:
        content = Content()
        if not connection.read(head, content, grant=True):
            return False
        if is_preflight(head):
            return _reply(connection, head, content, Reply(204))
        origin = self.origins.base(connection.letter)
        asking = Asking.parse(head.method, _path(head.target), content.octets(), origin)
        return _reply(connection, head, content, self._protocol.answer(asking))


def _reply(connection: Connection, head: Head, content: Content, reply: Reply) -> bool:
    """Answer, after what came with the request."""
    if not content.ended and not connection.read(head, content, grant=True):
        return False
    length: Fields = (
        ()
        if reply.status == 204
        else (
            ("Content-Type", reply.media_type),
            ("Content-Length", str(len(reply.content))),
        )
    )
    fields = (*length, ("Cache-Control", "no-store"), *cors_fields(head))
    return connection.send(http_head(reply.status, fields) + reply.content) and head.keeps


def _path(target: str) -> str:
    """The path and query of a request target, absolute form or not (RFC 9112 §3.2)."""
    _, scheme, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if scheme and not target.startswith("/") else target


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextlib.contextmanager
def open_stage(cases: Sequence[Case], ports: Mapping[Letter, int] = {}) -> Iterator[Stage]:
    """A lab in a folder of its own, closed and thrown away when the block ends."""
    with tempfile.TemporaryDirectory(prefix="detour-lab-", ignore_cleanup_errors=True) as folder:
        stage = Stage(Path(folder), cases, ports)
        try:
            yield stage
        finally:
            stage.close()
