"""What `python -m bench.check` reckons with, without running it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from bench.check.clients import Client, curl, curl_arrived, detour_arrived, lychee_arrived
from bench.check.origin import CONF, requests_for, urls
from bench.check.report import Row, Size, growth, table
from bench.check.run import Round, measure
from bench.process import Absent

TWO = [Round(2.0, 0.3, 0.1, 50_000_000), Round(4.0, 0.5, 0.3, 60_000_000)]


def test_urls_redirect_once_twice_and_three_times_in_turn_and_differ() -> None:
    listed = [*urls(80, 7)]
    assert [url.split("/")[3] for url in listed] == ["1", "2", "3", "1", "2", "3", "1"]
    assert len(set(listed)) == 7


def test_as_many_requests_are_counted_as_it_takes_to_the_end() -> None:
    assert requests_for(4) == 2 + 3 + 4 + 2
    assert requests_for(4, 1) == 8


def test_the_origin_listens_on_loopback_only() -> None:
    assert "listen 127.0.0.1:1 " in CONF.format(folder="/f", port=1)


def test_a_row_is_the_median_of_its_rounds_for_each_url() -> None:
    row = Row.of("detour", TWO, 1000)
    assert row.total == pytest.approx(600)
    assert (row.least, row.most) == (pytest.approx(400), pytest.approx(800))
    assert row.rate == pytest.approx(375)


def test_the_table_compares_with_detour() -> None:
    rows = [Row.of("detour", TWO, 1000), Row.of("other", [Round(1.0, 1.0, 0.2, 1)], 1000)]
    other = table(rows).splitlines()[2]
    assert other.split()[0] == "other"
    assert "2.00" in other.split()


def test_growth_is_a_line_a_length() -> None:
    told = growth([Size.of(Round(10.0, 1.0, 1.0, 50_000_000), 100_000)])
    assert told.strip() == "100,000 URLs:   50.0 MB at the most,    20 µs CPU a URL, 10 s"


def test_what_each_client_says_is_read() -> None:
    assert detour_arrived(json.dumps({"results": [], "summary": {"passed": 3}})) == 3
    assert lychee_arrived(json.dumps({"total": 4, "successful": 3})) == 3
    assert curl_arrived("200\n307\n200\n") == 2


def test_curl_gets_each_url_with_an_output_of_its_own(tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text("http://127.0.0.1:1/1/0\nhttp://127.0.0.1:1/2/1\n")
    argv = curl(listed, 64)
    config = Path(argv[-1]).read_text()
    assert config.count("url = ") == config.count('output = "/dev/null"') == 2


def held(octets: int, folder: Path) -> Round:
    """A client that holds so many octets for a moment."""
    program = f"held = b'x' * {octets}; import time; time.sleep(0.2); print('1 arrived')"
    client = Client("held", lambda: "", lambda *_: (sys.executable, "-c", program), lambda _output: 1)
    return measure(client, folder / "urls.txt", 1, 1, min(os.sched_getaffinity(0)), 20.0)


def test_the_memory_of_a_client_is_its_own(tmp_path: Path) -> None:
    ours = b"x" * 300_000_000  # what the measuring process holds is not counted
    small, large = held(0, tmp_path), held(100_000_000, tmp_path)
    assert small.most_memory < 60_000_000
    assert 100_000_000 < large.most_memory - small.most_memory + 5_000_000 < 130_000_000
    assert len(ours)


def test_a_client_that_does_not_end_is_absent(tmp_path: Path) -> None:
    client = Client("slow", lambda: "", lambda *_: ("sleep", "60"), lambda _output: 1)
    with pytest.raises(Absent, match="not done after"):
        measure(client, tmp_path / "urls.txt", 1, 1, min(os.sched_getaffinity(0)), 0.2)
