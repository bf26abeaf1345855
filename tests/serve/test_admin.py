"""The admin listener: what it tells, and whom it does not."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError

import pytest

from detour.load import load_files
from detour.serve.admin import is_plain_host
from detour.serve.metrics import MOST_RULES, listed_series
from tests.serve.running_server import RunningServer, eventually, exchange, read_head, rule

NEXT_EDGE = datetime(2090, 6, 1, tzinfo=UTC).timestamp()
IMPORT = '[[rule]]\nname = "legacy"\nimport = "_redirects"\ndialect = "netlify"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("admin")
    path = folder / "detours.toml"
    window = ("from = 2020-01-01T00:00:00Z", "until = 2090-06-01T00:00:00Z")
    gone = '[[rule]]\nname = "gone"\npattern = "/gone"\npass = true\nstatus = 410\n'
    path.write_text(rule("week", "/v1/*", "https://example.org/{0}", *window) + gone + IMPORT)
    (folder / "_redirects").write_text("/a https://a.example/ 302\n/b https://b.example/ 302\n")
    with RunningServer(path, folder, server={"workers": 2}) as running:
        for method, target in (
            ("POST", "/v1/1"),
            ("GET", "/v1/2"),
            ("GET", "/a"),
            ("GET", "/b"),
            ("GET", "/none"),
        ):
            running.ask(target, method)
        running.ask("/gone")
        eventually(lambda: len(running.hits()) == 3, "the rules in the admin process")
        yield running


def _metrics(server: RunningServer) -> dict[str, float]:
    lines = server.read_admin("/metrics").splitlines()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")
    }


def test_metrics_count_answers_by_method_and_status(server: RunningServer) -> None:
    metrics = _metrics(server)
    answers = {name: count for name, count in metrics.items() if name.startswith("detour_answers_total")}
    assert answers == {
        'detour_answers_total{method="POST",status="307"}': 1,
        'detour_answers_total{method="GET",status="307"}': 1,
        'detour_answers_total{method="GET",status="302"}': 2,
        'detour_answers_total{method="GET",status="404"}': 1,
        'detour_answers_total{method="GET",status="410"}': 1,
    }


def test_metrics_count_hits_by_rule_and_one_series_an_import(server: RunningServer) -> None:
    hits = {name: count for name, count in _metrics(server).items() if name.startswith("detour_hits_total")}
    assert hits == {
        'detour_hits_total{rule="week"}': 2,
        'detour_hits_total{rule="gone"}': 1,
        'detour_hits_total{rule="legacy"}': 2,
    }


def test_metrics_tell_the_state_of_the_server(server: RunningServer) -> None:
    metrics = _metrics(server)
    assert metrics["detour_rules"] == 4
    assert metrics["detour_workers"] == metrics["detour_workers_wanted"] == 2
    assert metrics["detour_next_expiry_timestamp_seconds"] == NEXT_EDGE
    assert metrics["detour_reloads_total"] == metrics["detour_reload_failures_total"] == 0
    assert metrics["detour_connections_opened_total"] >= 6


def test_every_metric_has_a_help_line_and_a_type(server: RunningServer) -> None:
    text = server.read_admin("/metrics")
    names = set(re.findall(r"^(detour_\w+)", text, re.MULTILINE))
    assert names == set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert names == set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))


def test_rules_are_listed_in_file_order_with_what_they_say(server: RunningServer) -> None:
    page = json.loads(server.read_admin("/rules"))
    assert page["next"] is None
    week, gone, first, second = page["rules"]
    assert re.fullmatch(r".*detours\.toml:1", week.pop("span"))
    assert week == {
        "name": "week",
        "pattern": "/v1/*",
        "location": "https://example.org/{0}",
        "status": 307,
        "from": "2020-01-01T00:00:00+00:00",
        "until": "2090-06-01T00:00:00+00:00",
        "counted_under": "week",
        "hits": 2,
    }
    assert (gone["location"], gone["status"], gone["from"], gone["until"]) == (None, 410, None, None)
    assert (first["name"], second["name"]) == ("legacy:1", "legacy:2")
    assert first["counted_under"] == "legacy"


def test_rules_come_in_pages(server: RunningServer) -> None:
    names, after = [], ""
    while True:
        page = json.loads(server.read_admin(f"/rules?limit=3{after}"))
        names.append([row["name"] for row in page["rules"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert names == [["week", "gone", "legacy:1"], ["legacy:2"]]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/rules?after=absent", 404), ("/rules?limit=0", 400), ("/rules?limit=1001", 400), ("/", 404)],
)
def test_what_is_not_there_is_refused(server: RunningServer, path: str, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        server.read_admin(path)
    caught.value.close()
    assert caught.value.code == status


def test_stats_are_the_same_numbers_as_json(server: RunningServer) -> None:
    numbers = server.stats()
    assert {"method": "POST", "status": 307, "count": 1} in numbers["answers"]
    assert numbers["server"]["rules"] == 4
    assert numbers["next_expiry"] == NEXT_EDGE


def _head(server: RunningServer, request: str) -> tuple[int, dict[str, str]]:
    host, _, port = server.admin.rpartition("/")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request.encode())
        return read_head(connection)


def test_a_host_that_is_a_name_is_refused_so_that_no_page_can_rebind_to_it(server: RunningServer) -> None:
    assert _head(server, "GET /rules HTTP/1.1\r\nHost: rebound.example\r\n\r\n")[0] == 421
    assert _head(server, "GET /rules HTTP/1.1\r\nHost: localhost:8308\r\n\r\n")[0] == 200


def test_nothing_but_get_is_answered_and_no_other_origin_is_let_in(server: RunningServer) -> None:
    assert _head(server, "POST /rules HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n")[0] == 405
    request = "GET /rules HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n"
    status, fields = _head(server, request)
    assert status == 200
    assert not [name for name in fields if name.startswith("access-control-")]
    assert fields["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8308", "[::1]", "[::1]:8308", "localhost", "LOCALHOST:1"]
)
def test_addresses_and_localhost_are_plain_hosts(host: str) -> None:
    assert is_plain_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.com",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "[::1",
        "[::1]x",
        "127.0.0.1:x",
        "1:2:3",
    ],
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_plain_host(host)


def test_a_traffic_answer_does_not_wait_for_the_admin_process(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text(rule("a", "/a", "https://a.example/"))
    with RunningServer(path, tmp_path, server={"workers": 1}) as server:
        eventually(lambda: server.hits() == {"a": 0}, "the rules in the admin process")
        (admin,) = {*server.family()[1:]} - {*server.workers()}
        admin.suspend()
        with server.connect() as connection:
            assert [exchange(connection, "/a")[0] for _ in range(50)] == [307] * 50
        admin.resume()
        assert server.hits() == {"a": 50}


def test_a_thousand_single_rules_are_listed_and_every_import(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    single = "".join(rule(f"r{number}", f"/{number}", "/") for number in range(MOST_RULES + 5))
    path.write_text(single + IMPORT)
    (tmp_path / "_redirects").write_text("/a /c 302\n/b /c 302\n")
    listed = listed_series(load_files(path).ruleset)
    assert listed == [*(f"r{number}" for number in range(MOST_RULES)), "legacy"]


def test_a_rule_is_found_by_its_name_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text(rule("a", "/a", "/x") + IMPORT + rule("b", "/b", "/x"))
    (tmp_path / "_redirects").write_text("/1 /c 302\n\n/3 /c 302\n")
    rules = load_files(path).ruleset.rules
    assert [rules.place_of(one.name) for one in rules] == [0, 1, 2, 3]
    for absent in ("legacy", "legacy:2", "c", "c:1", "a:2", ""):
        assert rules.place_of(absent) is None
