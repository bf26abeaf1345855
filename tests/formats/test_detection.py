"""How a dialect is told: by how a text begins, by its file's name, by all of it; in linear time."""

from __future__ import annotations

import time

import pytest

from detour.formats.dialects import detected

LONG = "# a comment\n" * 20_000
SERVER = "server {\n  listen 80;\n  server_name a.example;\n  return 307 https://a.example$request_uri;\n}\n"


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("x", SERVER + LONG, "nginx"),
        ("x", LONG + SERVER, "nginx"),
        ("_redirects", LONG + "/a /b 307\n", "netlify"),
        ("x.csv", "/a,/b,307\n" * 100_000, "csv"),
        ("x", "/a,/b,307\n" * 100_000, None),
        ("x", '{"redirects": [' + '{"source": "/a", "destination": "/b"},' * 10_000 + "]}", "vercel"),
    ],
)
def test_it_is_told_wherever_it_shows(file: str, text: str, name: str | None) -> None:
    found = detected(file, text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("piece", ["\n", "\t \n", " ", "{\n", "{", "#\n", "- \n", '"', "a\n", "a: "])
def test_time_is_linear_in_what_says_nothing(piece: str) -> None:
    before = time.process_time()
    assert detected("x", piece * 100_000) is None
    assert time.process_time() - before < 2
