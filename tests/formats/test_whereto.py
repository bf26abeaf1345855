"""Apache's redirects: whether OpenStack's whereto, which reads a part of them, answers as Detour does."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from whereto.parser import parse_rules
from whereto.rules import RuleSet

from detour.core.url import URL
from detour.load import load_layer
from tests.formats.dialect_data import data_file
from tests.formats.layers import Answer, decide, layer_of

FILES = 200
PROJECTS = (
    "cinder-29.0.0", "kolla_ansible-22.2.0", "openstack_placement-16.0.0", "openstacksdk-4.22.0",
    "python_novaclient-18.13.1",
)  # fmt: skip

# What whereto reads otherwise than Apache is not asked: a `Redirect` of a path with something below it, one
# without a status (whereto: 301), an expression that does not match all of the path (it replaces a part).
RULES = (
    "redirectmatch 301 ^/docs/(.*)$ /guide/$1",
    "redirectmatch 302 ^/docs/([^/]+)/(.*)$ /$2/$1",
    "redirectmatch 301 ^/docs/([0-9]+)\\.html$ /n/$1",
    "redirectmatch 308 ^/(a|b)/index.html$ https://x.test/$1/",
    "redirectmatch 307 ^/b/.*$ /gone-to-b",
    "redirectmatch 301 ^/$ /start",
    "redirectmatch 410 ^/docs/old/.*$",
    "redirect 301 /a/x /y",
    "redirect 303 /b/x.html https://x.test/y",
    "redirect 410 /a/gone",
)
PATHS = (
    "/", "/docs", "/docs/", "/docs/1.html", "/docs/x.html", "/docs/a/b", "/docs/a/b/c", "/docs/old/x",
    "/a/index.html", "/b/index.html", "/c/index.html", "/b/", "/b", "/a/x", "/b/x.html", "/a/gone", "/start",
)  # fmt: skip


def whereto_says(text: str, path: str) -> Answer:
    """What whereto answers, as an absolute Location; None where it redirects to nowhere."""
    rules = RuleSet()
    for line, words in parse_rules(text.splitlines()):
        rules.add(line, *words)
    found = rules.match(path)
    if found is None or found[2] is None:
        return None
    return int(found[1]), str(URL.parse(found[2], f"https://h.test{path}"))


def files() -> Iterator[str]:
    """Files of some rules in some order; the same in each run."""
    chosen = random.Random(6)
    for _ in range(FILES):
        yield "\n".join(chosen.sample(RULES, chosen.randint(1, len(RULES)))) + "\n"


def test_generated_files_answer_as_whereto_says() -> None:
    found = []
    for text in files():
        layer = layer_of("apache", text)
        assert layer.not_understood == ()
        for path in PATHS:
            found.append(
                (text, path, decide(layer, "GET", f"https://h.test{path}"), whereto_says(text, path))
            )
    assert sum(theirs is not None for *_, theirs in found) > 1_000
    assert [one for one in found if one[2] != one[3]] == []


@pytest.mark.parametrize("project", PROJECTS)
def test_a_real_file_answers_as_whereto_says(project: str) -> None:
    file = data_file("openstack-htaccess", project, "htaccess")
    layer, text = load_layer(file), file.read_text("utf-8")
    paths = {
        word
        for line in data_file("openstack-htaccess", project, "redirect-tests.txt").read_text().splitlines()
        for word in line.split()
        if word.startswith("/")
    }
    assert len(paths) > 1
    for path in sorted(paths):
        assert decide(layer, "GET", f"https://h.test{path}") == whereto_says(text, path), path
