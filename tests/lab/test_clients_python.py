"""The clients of Python, and those of Rust and C that it drives: what each does with a handful of cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from detour.lab.client import Client, its_python
from detour.lab.clients.python import CLIENTS
from detour.lab.run import Manner
from detour.lab.setup import commands
from tests.examples.running import REPOSITORY
from tests.lab.asking import asked, cases, present, verdicts

BY_NAME = {client.name: client for client in CLIENTS}

# A GET, over TLS with the lab's authority, and twice by the same client: nobody has trouble with these.
BY_ALL = ("same/307/GET/none", "credentials/307/GET/x-api-key/http-to-https", "cache/307/GET/nothing")

# What becomes of the content of a POST on 307, by kind; "-": the client has no means for it.
KINDS = ("form", "json", "multipart", "large", "file", "stream", "chunked", "expect")
POSTED = {
    "urllib.request": ("refused", "refused", "-", "refused", "refused", "refused", "refused", "-"),
    "urllib3": ("kept", "kept", "kept", "kept", "lost", "lost", "kept", "-"),
    "requests": ("kept", "kept", "kept", "kept", "kept", "lost", "kept", "-"),
    "niquests": ("kept", "kept", "kept", "kept", "kept", "lost", "kept", "-"),
    "httpx": ("kept", "kept", "kept", "kept", "refused", "refused", "kept", "-"),
    "aiohttp": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "httplib2": ("refused", "refused", "-", "refused", "refused", "refused", "refused", "-"),
    "tornado": ("kept", "kept", "-", "kept", "-", "lost", "kept", "kept"),
    "treq": ("refused", "refused", "refused", "refused", "refused", "-", "-", "-"),
    "scrapy": ("kept", "kept", "-", "kept", "-", "-", "-", "-"),
    "pyreqwest": ("kept", "kept", "refused", "kept", "refused", "refused", "refused", "-"),
    "primp": ("kept", "kept", "-", "kept", "-", "-", "-", "-"),
    "libcurl": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "libcurl --follow": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
}


@pytest.fixture(autouse=True)
def peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where niquests has an environment of its own."""
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(REPOSITORY / "tests" / "peers"))


@pytest.mark.parametrize("name", POSTED)
def test_what_becomes_of_each_kind_of_content(name: str) -> None:
    posted = [f"same/307/POST/{kind}" for kind in KINDS]
    found = verdicts(present(asked([BY_NAME[name]], cases(*BY_ALL, *posted), Manner(twice=1))))
    assert [found[case] for case in BY_ALL] == ["kept"] * len(BY_ALL)
    assert tuple(found[case] for case in posted) == POSTED[name]


def test_every_client_is_in_the_table() -> None:
    assert POSTED.keys() == BY_NAME.keys()


def test_scrapy_takes_a_redirect_to_where_it_comes_from_for_a_duplicate() -> None:
    found = present(asked([BY_NAME["scrapy"]], cases("chain/self/GET/none"), Manner(twice=1)))
    (cell,) = found.cells
    assert cell.request == "refused"
    assert "duplicate" in cell.shown.outcome.error


def test_each_package_has_an_environment_of_its_own_when_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(tmp_path))
    absent: list[Client] = [BY_NAME["niquests"], BY_NAME["urllib3"]]
    told = [" ".join(words[1:]) for words in commands(absent)]
    assert told == [
        f"-m venv --without-pip {tmp_path}/python/niquests",
        f"-m pip --python {tmp_path}/python/niquests install niquests",
        f"-m venv --without-pip {tmp_path}/python/urllib3",
        f"-m pip --python {tmp_path}/python/urllib3 install urllib3",
    ]


def test_a_client_runs_with_its_own_python_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(tmp_path))
    own = tmp_path / "python" / "niquests" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert its_python(BY_NAME["niquests"]) == str(own)
    assert its_python(BY_NAME["urllib3"]) != str(own)
