"""The content of a request, handed out piece by piece: octets, a file that can be rewound, or a stream."""

from __future__ import annotations

from io import SEEK_END, BytesIO
from typing import BinaryIO


class ContentReader:
    """Reads content for libcurl; `size` is -1 when only its end will tell, `given` how much was handed out.

    A file that can seek is sent whole, from its start, each time; a stream once.
    """

    __slots__ = ("_file", "error", "given", "size")

    def __init__(self, source: bytes | BinaryIO) -> None:
        self.given = 0
        self.error: Exception | None = None
        self._file = BytesIO(source) if isinstance(source, bytes) else source
        self.size = -1
        if self._file.seekable():
            self.size = self._file.seek(0, SEEK_END)
            self._file.seek(0)

    def read(self, limit: int) -> bytes | None:
        """The next octets, at most `limit`; empty at the end; None when the source failed (see `error`)."""
        try:
            piece = self._file.read(limit)
        except Exception as error:
            self.error = error
            return None
        self.given += len(piece)
        return piece

    def rewind(self, offset: int) -> bool:
        """Go back to `offset`, if the source can."""
        if self.size < 0:
            return False
        self._file.seek(offset)
        self.given = offset
        return True
