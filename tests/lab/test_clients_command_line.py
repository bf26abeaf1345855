"""The clients that are commands: what each does with a handful of cases. One run of a command a request."""

from __future__ import annotations

import pytest

from detour.lab.clients.command_line import CLIENTS
from detour.lab.run import Manner
from tests.lab.asking import asked, cases, present, verdicts

BY_NAME = {client.name: client for client in CLIENTS}

BY_ALL = ("same/307/GET/none", "credentials/307/GET/x-api-key/http-to-https")

# What becomes of the content of a POST on 307, by kind; "-": the command has no option for it.
KINDS = ("form", "json", "multipart", "large", "file", "stream", "chunked", "expect")
POSTED = {
    "curl": ("kept", "kept", "kept", "kept", "kept", "refused", "kept", "kept"),
    "wget": ("kept", "kept", "-", "kept", "kept", "-", "-", "-"),
    "wget2": ("kept", "kept", "-", "kept", "kept", "-", "-", "-"),
    "httpie": ("kept", "kept", "hung", "kept", "kept", "lost", "lost", "-"),
    "detour trace": ("kept", "kept", "-", "kept", "kept", "refused", "-", "kept"),
}


@pytest.mark.parametrize("name", POSTED)
def test_what_becomes_of_each_kind_of_content(name: str) -> None:
    posted = [f"same/307/POST/{kind}" for kind in KINDS]
    found = verdicts(present(asked([BY_NAME[name]], cases(*BY_ALL, *posted), Manner(twice=1))))
    assert [found[case] for case in BY_ALL] == ["kept"] * len(BY_ALL)
    assert tuple(found[case] for case in posted) == POSTED[name]


def test_every_command_is_in_the_table() -> None:
    assert POSTED.keys() == BY_NAME.keys()


def test_a_wget2_without_method_is_not_asked_for_other_methods() -> None:
    found = present(asked([BY_NAME["wget2"]], cases("same/307/PUT/json"), Manner(twice=1)))
    assert found.not_asked == {"same/307/PUT/json": "knows GET, HEAD and POST"}


def test_a_command_tells_where_it_ended() -> None:
    found = present(asked([BY_NAME["curl"]], cases("same/307/GET/none"), Manner(twice=1)))
    assert found.cells[0].shown.outcome.url.endswith("/1/here")
