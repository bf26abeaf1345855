"""What is settled already: an append-only journal, so that a run that was interrupted can go on.

    detour-journal 1
    NUMBER TAB MARK TAB RESULT (JSON) LF

A result counts for the claim at its place (`NUMBER`) as long as that says the same (`MARK`). In memory there
are sixteen octets a claim. A last line without LF was being written when the run ended: it is cut off.
"""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import msgspec
import xxhash

from detour.audit.report import Result
from detour.errors import DetourError
from detour.follow.claim import Claim, Unusable

_HEADER = b"detour-journal 1\n"
_decode = msgspec.json.Decoder(Result).decode
_encode = msgspec.json.Encoder().encode


class Journal:
    """A journal file, made if it is not there. `manner` is what else the results depend on."""

    def __init__(self, name: str, manner: str = "") -> None:
        self._name, self._manner = name, manner
        self._marks, self._places = array("Q"), array("Q")
        self.known = 0  # results found in it
        try:
            number = os.open(name, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise DetourError(
                f"--resume {name}: cannot be written: {error.strerror}; name another file"
            ) from None
        self._file = os.fdopen(number, "r+b", buffering=0)  # what is written is in the file
        try:
            self._end = self._read()
        except BaseException:
            self._file.close()
            raise

    def find(self, number: int, claim: Claim | Unusable) -> Result | None:
        """The result of this claim at this place, if it is settled."""
        if number >= len(self._marks) or self._marks[number] != self._mark(claim):
            return None
        with open(self._file.fileno(), "rb", closefd=False) as file:
            file.seek(self._places[number])
            return _decode(file.readline().split(b"\t", 2)[2])

    def add(self, number: int, claim: Claim | Unusable, result: Result) -> None:
        """Note a result; it is in the file when this returns."""
        mark = self._mark(claim)
        line = b"%d\t%016x\t%s\n" % (number, mark, _encode(result))
        self._write(line, self._end)
        self._note(number, mark, self._end)
        self._end += len(line)

    def close(self) -> None:
        """Keep the file for another run."""
        self._file.close()

    def finish(self) -> None:
        """Everything is settled: the journal has done its work and goes."""
        self.close()
        Path(self._name).unlink(missing_ok=True)

    def _read(self) -> int:
        """Where the next line goes."""
        with open(self._file.fileno(), "rb", closefd=False) as file:
            first = file.readline(len(_HEADER))
            if first and not _HEADER.startswith(first):
                raise DetourError(f"--resume {self._name}: is no journal of detour check; name another file")
            if first != _HEADER:
                self._file.truncate(0)
                self._write(_HEADER, 0)
                return len(_HEADER)
            end = len(_HEADER)
            for line in file:
                if not line.endswith(b"\n"):
                    self._file.truncate(end)
                    break
                self._remember(line, end)
                end += len(line)
            return end

    def _write(self, octets: bytes, place: int) -> None:
        self._file.seek(place)
        self._file.write(octets)

    def _remember(self, line: bytes, place: int) -> None:
        try:
            number, mark, _ = line.split(b"\t", 2)
            self._note(int(number), int(mark, 16), place)
        except (ValueError, OverflowError):
            raise DetourError(
                f"--resume {self._name}: is damaged at octet {place}; remove it and begin anew"
            ) from None

    def _note(self, number: int, mark: int, place: int) -> None:
        missing = number + 1 - len(self._marks)
        if missing > 0:
            zeros = bytes(8 * missing)
            self._marks.frombytes(zeros)
            self._places.frombytes(zeros)
        self.known += not self._marks[number]
        self._marks[number], self._places[number] = mark, place

    def _mark(self, claim: Claim | Unusable) -> int:
        """A digest of what a claim says (xxHash3, 64 bits, never 0): against change, not against an enemy."""
        if isinstance(claim, Unusable):
            said = msgspec.msgpack.encode((self._manner, claim))
        else:
            consent = (sorted(claim.consent.origins), claim.consent.send)
            words = (claim.name, claim.request, claim.expected, claim.content, claim.first_only)
            told = (claim.policy.name, claim.policy.limit, sorted(claim.allow), claim.span)
            said = msgspec.msgpack.encode((self._manner, words, consent, told))
        return xxhash.xxh3_64_intdigest(said) or 1
