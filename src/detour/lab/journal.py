"""A journal of a run: every judged trial a line of JSON, so that a run that was interrupted can go on.

A line counts while the client has the version it had and the case asks what it asked. A last line without
its end was being written when the run ended: it is cut off.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec
import xxhash

from detour.errors import LabError
from detour.lab.case import Case
from detour.lab.trial import Trial

_HEADER = b'{"detour-lab-journal":1}\n'


class Line(msgspec.Struct, frozen=True):
    """One trial, and what it depends on."""

    version: str  # of the client
    mark: str  # of the case
    trial: Trial


_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


def mark(case: Case) -> str:
    """A digest of what a case asks: against change, not against an enemy."""
    return f"{xxhash.xxh3_64_intdigest(msgspec.json.encode(msgspec.to_builtins(case, order='sorted'))):016x}"


class Journal:
    """A journal file, made if it is not there; raises `LabError`."""

    def __init__(self, name: str, cases: Iterable[Case]) -> None:
        self._name = name
        self._marks = {case.id: mark(case) for case in cases}
        self._known: dict[str, list[Line]] = {}
        self._lock = threading.Lock()
        try:
            self._file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            fact = error.strerror or str(error)
            raise LabError(f"--resume {name}: cannot be written: {fact}; name another file") from None
        try:
            self._end = self._read()
        except BaseException:
            os.close(self._file)
            raise

    def trials(self, client: str, version: str) -> list[Trial]:
        """What is settled already for that client."""
        lines = self._known.get(client, ())
        return [
            line.trial
            for line in lines
            if (line.version, line.mark) == (version, self._marks.get(line.trial.case))
        ]

    def add(self, trial: Trial, version: str) -> None:
        """Note a trial; it is in the file when this returns."""
        line = _encode(Line(version, self._marks[trial.case], trial)) + b"\n"
        with self._lock:
            try:
                os.pwrite(self._file, line, self._end)
            except OSError as error:
                fact = error.strerror or str(error)
                raise LabError(
                    f"--resume {self._name}: cannot be written: {fact}; make room, go on"
                ) from None
            self._end += len(line)

    def close(self) -> None:
        """Keep the file for another run."""
        os.close(self._file)

    def finish(self) -> None:
        """Everything is settled: the journal has done its work and goes."""
        self.close()
        Path(self._name).unlink(missing_ok=True)

    def _read(self) -> int:
        """Where the next line goes."""
        with open(self._file, "rb", closefd=False) as file:
            first = file.readline(len(_HEADER))
            if first and not _HEADER.startswith(first):
                raise LabError(f"--resume {self._name}: is no journal of detour lab; name another file")
            if first != _HEADER:
                os.ftruncate(self._file, 0)
                return os.pwrite(self._file, _HEADER, 0)
            end = len(_HEADER)
            for line in file:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, end)
                    break
                self._remember(line, end)
                end += len(line)
            return end

    def _remember(self, line: bytes, place: int) -> None:
        try:
            known = _decode(line)
        except msgspec.DecodeError:
            raise LabError(
                f"--resume {self._name}: is damaged at octet {place}; remove it and begin anew"
            ) from None
        self._known.setdefault(known.trial.client, []).append(known)
