"""vercel.json files of generated redirects: whether Vercel's own compiler answers as Detour's reader says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from detour.core.url import URL
from tests.formats.layers import Answer, decide, layer_of
from tests.formats.vercel_engine import VercelEngine

FILES = 200

# A source, and destinations that use what it captures.
REDIRECTS = (
    ("/a", ("/b", "https://x.test/b", "/b?c=d")),
    ("/a/:x", ("/b/:x", "https://x.test/:x", "/:x/c#d", "/b")),
    ("/a/:x/:y", ("/:y/:x",)),
    ("/c/:rest*", ("/d/:rest*", "https://x.test/:rest*", "/d")),
    ("/c/:rest+", ("/e/:rest+",)),
    ("/n/:id(\\d+)", ("/m/:id",)),
    ("/n/(\\d+)", ("/m/$1",)),
    ("/:any(b|c)/x", ("/y/:any",)),
    ("/p-:x", ("/q/:x",)),
    ("/:path*", ("https://x.test/:path*",)),
    ("/:path+", ("https://x.test/:path+",)),
    ("/:any?", ("https://x.test/:any?",)),
    ("/:id(\\d+)*", ("https://x.test/n/:id*",)),
    ("/(.*)", ("https://x.test/$1",)),
    ("/o/:x?", ("/r/:x?", "/r")),
)
STATUSES: tuple[dict[str, Any], ...] = (
    {}, {"permanent": True}, {"permanent": False}, {"statusCode": 301}, {"statusCode": 303},
)  # fmt: skip
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"trailingSlash": True}, {"trailingSlash": False}, {"cleanUrls": True},
    {"cleanUrls": True, "trailingSlash": False},
)  # fmt: skip
PATHS = (
    "/", "/a", "/a/", "/a/1", "/a/1/", "/a/1/2", "/a/1/2/3", "/A", "/ab", "/b/x", "/c/x", "/c", "/c/",
    "/c/x/y", "/c/x/y/", "/n/12", "/n/x", "/n/1/2", "/p-1", "/p-", "/p", "/o", "/o/", "/o/1", "/x.html",
    "/a/x.html", "/index.html", "/d/index", "/f.css", "/f.css/", "/z/z", "/1/2", "/12",
)  # fmt: skip


def configs() -> Iterator[dict[str, Any]]:
    """Files of one to four redirects, some with the options that add redirects; the same in each run."""
    chosen = random.Random(6)
    for _ in range(FILES):
        rules = []
        for source, destinations in chosen.sample(REDIRECTS, chosen.randint(1, 4)):
            rules.append(
                {"source": source, "destination": chosen.choice(destinations), **chosen.choice(STATUSES)}
            )
        yield {**chosen.choice(OPTIONS), "redirects": rules}


def compared(engine: VercelEngine, config: dict[str, Any]) -> Iterator[tuple[str, Answer, Answer]]:
    """Each path, with Detour's answer and Vercel's; a redirect to itself, which Detour does not send, is
    left out."""
    layer = layer_of("vercel", json.dumps(config))
    assert layer.not_understood == (), config
    for path, answer in zip(PATHS, engine.ask(config, list(PATHS)), strict=True):
        url = f"https://h.test{path}"
        wanted = None if answer is None else (answer[0], str(URL.parse(answer[1] or "", url)))
        if wanted is None or wanted[1] != url:
            yield path, decide(layer, "GET", url), wanted


@pytest.fixture(scope="module")
def engine() -> Iterator[VercelEngine]:
    with VercelEngine() as running:
        yield running


def test_generated_files_answer_as_on_vercel(engine: VercelEngine) -> None:
    found = [(config, *one) for config in configs() for one in compared(engine, config)]
    assert sum(vercels is not None for *_, vercels in found) > 1_000
    assert [one for one in found if one[2] != one[3]] == []
