"""The octets: what stands in the documentation is what is sent."""

from __future__ import annotations

import gzip
import subprocess
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from detour.lab.case import Answer, Content
from detour.lab.cases import CASES
from detour.lab.contents import (
    BOMB,
    CONTENTS,
    FORM,
    LARGE_ANSWER,
    MIB,
    MULTIPART,
    OCTETS,
    answer_octets,
    multipart,
    numbered,
    octets,
)
from tests.examples.running import program


@given(st.integers(0, 5000), st.integers(1, 400))
def test_each_octet_can_be_told_from_its_offset_alone(offset: int, more: int) -> None:
    line, column = divmod(offset, 16)
    expected = line % 256 if column == 15 else ord(f"{16 * line:015d}"[column])
    assert numbered(offset + more)[offset] == expected


def test_the_formula_is_the_same_in_another_language() -> None:
    written = 'printf("%015d%c", 16 * $_, $_ % 256) for 0 .. 4095'
    made = subprocess.run([program("perl"), "-e", written], capture_output=True, check=True).stdout
    assert made == numbered(16 * 4096)


def test_lengths_are_as_they_are_told() -> None:
    for case in CASES:
        assert len(octets(case.asked.content)) == case.asked.content.length, case.id
    assert CONTENTS["large"].length == 10 * MIB


def test_long_content_has_every_octet_and_repeats_no_block() -> None:
    content = octets(CONTENTS["file"])
    assert set(content) == set(range(256))
    blocks = [content[at : at + 16] for at in range(0, len(content), 16)]
    assert len(set(blocks)) == len(blocks)


def test_the_form_says_what_its_pairs_say() -> None:
    assert tuple(parse_qsl(octets(CONTENTS["form"]).decode(), keep_blank_values=True)) == FORM


def test_multipart_holds_its_parts() -> None:
    assert all(part.octets in multipart() for part in MULTIPART)
    assert multipart().count(b"--detour-lab-boundary") == 3


def test_answers_hold_what_they_say() -> None:
    assert answer_octets(Answer(200, content="é")) == ("é".encode(), ())
    large, fields = answer_octets(Answer(307, content_kind="large"))
    assert len(large) == LARGE_ANSWER
    assert fields == (("Content-Type", OCTETS),)
    bomb, fields = answer_octets(Answer(307, content_kind="gzip-bomb"))
    assert len(bomb) < 70_000
    assert ("Content-Encoding", "gzip") in fields
    assert len(gzip.decompress(bomb)) == BOMB


def test_another_length_is_the_beginning_of_the_longer_one() -> None:
    assert octets(Content("stream", OCTETS, 1000)) == octets(CONTENTS["file"])[:1000]
