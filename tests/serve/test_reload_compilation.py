"""Compiling in a child: what it found, or that it broke."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec
import pytest

from detour.core.settings import ServerSettings
from detour.errors import Fault, RuleError, ServeError, Span
from detour.serve.reload import Compilation
from detour.snapshot import Manifest, Writer
from tests.serve.running_server import eventually


class Source(msgspec.Struct, frozen=True):
    """A rule source whose reading is `act`."""

    act: Callable[[int], object]
    files: tuple[str, ...] = ()

    def compile(self, descriptor: int, _: Mapping[str, Any]) -> None:
        self.act(descriptor)


def _compiled(act: Callable[[int], object]) -> Compilation:
    compilation = Compilation(Source(act), {})
    eventually(compilation.ended, "the end of the compilation")
    return compilation


def _empty(descriptor: int) -> None:
    manifest = Manifest(0, (), ServerSettings(), (), ("f",), (), ("a warning",))
    Writer(descriptor).finish(manifest)


def _faulty(_: int) -> NoReturn:
    raise RuleError((Fault(Span("f", 3), "wrong", "mend it"),), ("f", "an import"))


def _broken(_: int) -> NoReturn:
    raise ZeroDivisionError


def _killed(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _endless(_: int) -> NoReturn:
    while True:
        time.sleep(1)


def test_the_manifest_comes_back() -> None:
    compilation = _compiled(_empty)
    manifest = compilation.manifest()
    assert (manifest.rules, manifest.files, manifest.warnings) == (0, ("f",), ("a warning",))
    compilation.abandon()


def test_faults_come_back_as_faults() -> None:
    compilation = _compiled(_faulty)
    with pytest.raises(RuleError, match=r"^f:3: wrong; mend it$") as caught:
        compilation.manifest()
    assert caught.value.files == ("f", "an import")
    compilation.abandon()


def test_a_broken_compiler_is_told_with_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    compilation = _compiled(_broken)
    with pytest.raises(ServeError, match="ended early"):
        compilation.manifest()
    compilation.abandon()
    told = capfd.readouterr().err
    assert "failed: ZeroDivisionError(); please report this" in told
    assert all(line.startswith("detour: ") for line in told.splitlines())


def test_a_killed_compiler_is_told() -> None:
    compilation = _compiled(_killed)
    with pytest.raises(ServeError, match=r"was killed \(signal 9\)"):
        compilation.manifest()
    compilation.abandon()


def test_an_abandoned_compilation_leaves_no_process() -> None:
    compilation = Compilation(Source(_endless), {})
    assert not compilation.ended()
    compilation.abandon()
    assert compilation.ended()
