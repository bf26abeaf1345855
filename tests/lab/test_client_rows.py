"""The rows: nothing in them that nobody can run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detour.lab.cases import BY_ID, CASES
from detour.lab.client import PLACEHOLDERS, Client, environment, filled_words, peers_folder
from detour.lab.clients import CLIENTS
from detour.lab.contents import CONTENTS
from detour.lab.program import Found, Places, find
from tests.examples.running import REPOSITORY
from tests.lab.asking import liar

METHODS = {case.asked.method for case in CASES}
APIS = {case.asked.api for case in CASES}


def bare(**more: Any) -> Client:
    return msgspec.structs.replace(liar("honest"), **more)


def test_what_a_row_needs_is_installed_where_the_tests_run() -> None:
    installed = set((REPOSITORY / ".ci" / "run").read_text().split())
    needed = {package for client in CLIENTS for package in client.install.debian}
    assert needed <= installed, needed - installed


def test_no_two_have_the_same_name() -> None:
    names = [client.name.lower() for client in CLIENTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_row_is_complete_and_names_what_there_is(client: Client) -> None:
    words = [*client.version, *client.command, *client.environment.values()]
    words += [word for command in client.prepare for word in command]
    used = {name for word in words for name in re.findall(r"(?<!\$)\{(\w+)\}", word)}
    assert used <= set(PLACEHOLDERS), used
    assert client.language
    assert client.follows
    assert set(client.cannot) <= {*CONTENTS, *METHODS, *APIS}, client.cannot
    assert all(client.cannot.values())
    assert any(not client.refuses(case) for case in CASES)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_the_program_of_a_row_is_shipped(client: Client, tmp_path: Path) -> None:
    places = Places(tmp_path / "run", tmp_path / "ca.pem").of(client)
    for word in filled_words(client.command, places):
        if word.startswith(places["programs"]) and "node_modules" not in word:
            assert Path(word).exists(), word


def test_a_case_is_refused_for_its_content_its_method_its_api_or_its_caller() -> None:
    case = BY_ID["same/307/PUT/json"]
    assert liar("honest").refuses(case) == ""
    client = bare(cannot={"json": "no JSON"}, caller="browser")
    assert client.refuses(case) == "no JSON"
    page = next(case for case in CASES if "library" in case.runs_in and "browser" not in case.runs_in)
    assert client.refuses(page) == "not asked of a browser"


def test_the_environment_loses_proxies_and_gains_trust() -> None:
    plain = {"https_proxy": "x", "NO_PROXY": "x", "LANG": "C", "SSL_CERT_FILE": "/etc/ssl"}
    client = bare(environment={"TRUST": "{ca}", "LANG": "de"})
    found = environment(client, {"ca": "/run/ca.pem"}, plain)
    assert not [name for name in found if name.lower().endswith("_proxy")]
    assert (found["TRUST"], found["SSL_CERT_FILE"], found["LANG"]) == ("/run/ca.pem", "/run/ca.pem", "de")


def test_the_peers_are_where_the_environment_says_or_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETOUR_LAB_PEERS", "/opt/peers")
    assert peers_folder() == Path("/opt/peers")
    monkeypatch.delenv("DETOUR_LAB_PEERS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert peers_folder() == Path("/var/cache/detour/lab")


def test_programs_are_copied_and_the_peers_modules_are_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "peers" / "node_modules" / "axios").mkdir(parents=True)
    monkeypatch.setenv("DETOUR_LAB_PEERS", str(tmp_path / "peers"))
    places = Places(tmp_path / "run", tmp_path / "ca.pem").of(liar("honest"))
    assert (Path(places["programs"]) / "lab.py").is_file()
    assert (Path(places["programs"]) / "node_modules" / "axios").is_dir()
    assert list(Path(places["home"]).iterdir()) == []


@pytest.mark.parametrize(
    ("version", "found"),
    [
        (("{python}", "-c", "print('libwhat 7.88.1-DEV (x)')"), Found("7.88.1-DEV")),
        (("{python}", "-c", "print('Name 12')"), Found("12")),
        (("{python}", "-c", "print('no number')"), Found("unknown")),
        (("{python}", "-c", "import sys; sys.exit('not here')"), Found(absent="not here")),
        (("{python}", "-c", "raise SystemExit(4)"), Found()),
    ],
)
def test_a_client_is_found_by_its_version(tmp_path: Path, version: tuple[str, ...], found: Found) -> None:
    client = bare(version=version)
    places = Places(tmp_path / "run", tmp_path / "ca.pem").of(client)
    told = find(client, places)
    assert told == found or (found == Found() and told.absent.endswith("exit 4"))


@pytest.mark.parametrize("client", [one for one in CLIENTS if one.races], ids=lambda client: client.name)
def test_a_race_within_a_client_is_told_of_cases_that_it_is_asked(client: Client) -> None:
    for named, why in client.races.items():
        raced = [case for case in CASES if f"{case.asked.method}/{case.asked.content.kind}" == named]
        assert why
        assert [case for case in raced if not client.refuses(case)]
        assert all(client.race(case) for case in raced)
    assert [case for case in CASES if not client.race(case)]
