"""The recipe `form-action`: Chromium submits a real form with a file of 5 MB."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.examples.client_programs import FOLDER
from tests.examples.recipes import RECIPES, localized
from tests.examples.running import Detour, EchoOrigin, free_port, plain_environment, program

RECIPE = next(recipe for recipe in RECIPES if recipe.name == "form-action")
SIZE = 5_000_000


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[EchoOrigin]:
    with EchoOrigin(tmp_path) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, origin: EchoOrigin) -> Iterator[Detour]:
    port = free_port()
    rules = tmp_path / "detours.toml"
    rules.write_text(localized(RECIPE, f"127.0.0.1:{port}", origin.url, origin.url))
    with Detour(rules, tmp_path, "--listen", f"http://127.0.0.1:{port}") as detour:
        yield detour


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "content.bin"
    written.write_bytes(b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(SIZE // 32)))
    return written


@contextlib.contextmanager
def submitting(url: str, file: Path) -> Iterator[None]:
    """Chromium, on a page whose form has been submitted to `url`."""
    program("chromium")
    argv = [sys.executable, str(FOLDER / "chromium_program.py"), "POST", url, "form", str(file)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, env=plain_environment()) as browser:
        try:
            yield
        finally:
            assert browser.stdin is not None
            browser.stdin.close()
            browser.wait(20)


def test_307_posts_the_form_again_with_every_octet_of_its_file(
    site: Detour, origin: EchoOrigin, file: Path
) -> None:
    with submitting(f"{site.url}/apply?lang=de", file):
        arrived = origin.arrival("/apply")
    assert (arrived["method"], arrived["target"]) == ("POST", "/apply?lang=de")
    parts = {part["name"]: part for part in arrived["parts"]}
    assert parts["file"]["length"] == SIZE
    assert parts["file"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert parts["note"]["length"] == len("kept or lost?")
    assert arrived["complete"]


def test_302_makes_a_get_of_it_and_loses_everything(site: Detour, origin: EchoOrigin, file: Path) -> None:
    with submitting(f"{site.url}/apply-302", file):
        arrived = origin.arrival("/apply")
    assert (arrived["method"], arrived["length"], arrived["parts"]) == ("GET", 0, [])
    assert "Content-Type" not in dict(arrived["fields"])
