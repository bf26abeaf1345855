"""The parent: it binds once, replaces what dies, tells who is ready, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from detour.serve.listener import Address, bind
from tests.serve.running_server import (
    ENDLESS,
    PATIENCE,
    REPOSITORY,
    RunningServer,
    eventually,
    exchange,
    read_answer,
    read_head,
    rule,
)

needs_real_time = pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="no real-time signals here")
LOCATION = "https://example.org/v2/7"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "detours.toml"
    path.write_text(
        rule("moved", "/v1/*", "https://example.org/v2/{0}") + rule("other", "/other", "https://example.org/")
    )
    return path


def _refused(rules: Path, **options: object) -> tuple[int, list[str]]:
    """Exit status and diagnostics of a server that does not start."""
    arguments = json.dumps({"rules": str(rules), "listen": ["http://127.0.0.1:0"], "admin": "off", **options})
    argv = [sys.executable, "-m", "tests.serve.running_server", arguments]
    ended = subprocess.run(
        argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return ended.returncode, ended.stderr.splitlines()


def test_a_post_is_redirected_and_the_addresses_are_announced(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}) as server:
        assert server.ask("/v1/7", "POST") == (307, LOCATION)
        assert server.log.splitlines() == [
            f"detour: listening on {server.url}",
            f"detour: admin on {server.admin}",
            "detour: ready: 2 rules, 2 workers",
        ]


def test_a_second_server_on_the_port_exits_2_with_one_line(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        status, lines = _refused(rules, listen=[server.url])
        assert (status, len(lines)) == (2, 1)
        assert lines[0].startswith(f"detour: cannot listen on {server.url}: Address already in use; ")
        assert server.ask("/v1/7") == (307, LOCATION)


def test_a_busy_admin_port_exits_2_and_names_admin_off(rules: Path) -> None:
    taken = bind(Address(socket.AF_INET, "127.0.0.1", 0), "test")
    status, lines = _refused(rules, admin=f"127.0.0.1:{taken.getsockname()[1]}")
    taken.close()
    assert (status, len(lines)) == (2, 1)
    assert lines[0].endswith("or --admin off")


def test_every_fault_of_the_rules_is_told_and_nothing_is_bound(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text(rule("a", "/a", "nowhere") + rule("b", "/b(", "/c"))
    status, lines = _refused(path)
    assert status == 2
    assert any("detours.toml:4" in line for line in lines)
    assert any("detours.toml:8" in line or "detours.toml:7" in line for line in lines)
    assert not any("listening" in line for line in lines)


def test_a_missing_rule_file_is_one_line(tmp_path: Path) -> None:
    status, lines = _refused(tmp_path / "absent.toml")
    assert (status, len(lines)) == (2, 1)
    assert "absent.toml" in lines[0]


def test_being_stopped_before_the_rules_are_read_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text(ENDLESS)
    server = RunningServer(path, tmp_path)
    try:
        eventually(lambda: len(server.family()) == 2, "the compile child")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.family() == []
    finally:
        server.end()


def test_each_worker_holds_its_own_socket_only(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 3}) as server:
        workers = server.workers()
        assert len(workers) == 3
        for worker in workers:
            listening = [c for c in worker.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
            assert len(listening) == 1


def test_a_killed_worker_is_replaced_and_its_queued_connections_are_answered(
    rules: Path, tmp_path: Path
) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        (worker,) = server.workers()
        worker.suspend()
        queued = [server.connect() for _ in range(20)]
        for connection in queued:
            connection.sendall(b"GET /v1/7 HTTP/1.1\r\nHost: example.com\r\n\r\n")
        worker.kill()
        for connection in queued:
            with connection:
                assert read_answer(connection) == (307, LOCATION)
        assert "worker 0 ended (SIGKILL); it is replaced" in server.log


def test_a_worker_killed_under_load_takes_only_its_own_connections_with_it(
    rules: Path, tmp_path: Path
) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}) as server:
        clients = [Client(server) for _ in range(16)]
        eventually(lambda: all(client.answered > 20 for client in clients), "a steady load")
        victim = server.workers()[0]
        held = {c.raddr.port for c in victim.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED}
        victim.kill()
        server.wait_for("it is replaced")
        before = [client.answered for client in clients]
        eventually(
            lambda: all(c.answered > n + 20 for c, n in zip(clients, before, strict=True)), "the load again"
        )
        failed = set().union(*(client.stop() for client in clients))
        assert failed == held
        assert eventually(lambda: len(server.workers()) == 2, "two workers")


class Client:
    """Asks over and over on one connection, and on a new one when that fails; notes which failed."""

    def __init__(self, server: RunningServer) -> None:
        self.answered = 0
        self._server = server
        self._failed: set[int] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> set[int]:
        """The local ports of the connections that failed."""
        self._stopping.set()
        self._thread.join(PATIENCE)
        return self._failed

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._server.connect() as connection:
                port = connection.getsockname()[1]
                try:
                    self._ask(connection)
                except OSError:
                    self._failed.add(port)

    def _ask(self, connection: socket.socket) -> None:
        while not self._stopping.is_set():
            assert exchange(connection, "/v1/7", "POST") == (307, LOCATION)
            self.answered += 1


def test_a_successor_counts_on_and_the_dead_workers_connections_are_closed(
    rules: Path, tmp_path: Path
) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        with server.connect() as connection:
            for _ in range(5):
                exchange(connection, "/v1/7")
            eventually(lambda: server.hits() == {"moved": 5, "other": 0}, "5 hits")
            server.workers()[0].kill()
            server.wait_for("it is replaced")
        assert server.ask("/v1/7") == (307, LOCATION)
        eventually(lambda: server.stats()["connections"]["open"] == 0, "no open connection")
        assert server.hits() == {"moved": 6, "other": 0}
        assert server.stats()["server"]["worker_deaths"] == 1


@needs_real_time
def test_a_death_by_a_signal_without_a_name_is_told_by_its_number(rules: Path, tmp_path: Path) -> None:
    number = signal.SIGRTMIN + 2
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        server.workers()[0].send_signal(number)
        server.wait_for(f"worker 0 ended (signal {number}); it is replaced")
        assert server.ask("/v1/7") == (307, LOCATION)


def test_a_worker_that_keeps_dying_keeps_being_replaced(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        for times in range(1, 5):
            eventually(server.workers, "a worker")[0].kill()
            server.wait_for("worker 0 ended", times)
        assert server.ask("/v1/7") == (307, LOCATION)


def test_a_dead_admin_process_is_replaced_and_reads_the_same_numbers(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        server.ask("/v1/7")
        eventually(lambda: server.hits().get("moved") == 1, "the rules in the admin process")
        (admin,) = {*server.family()[1:]} - {*server.workers()}
        admin.kill()
        server.wait_for("admin ended (SIGKILL); it is replaced")
        eventually(lambda: server.hits().get("moved") == 1, "the rules in its successor")


def test_sigterm_lets_an_open_request_finish_and_refuses_new_connections(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        with server.connect() as connection:
            connection.sendall(b"GET /v1/7 HTTP/1.1\r\n")
            exchange_elsewhere = server.ask("/v1/7")
            assert exchange_elsewhere == (307, LOCATION)
            server.signal(signal.SIGTERM)
            eventually(lambda: _is_refused(server), "a refused connection")
            connection.sendall(b"Host: example.com\r\n\r\n")
            status, fields = read_head(connection)
            assert (status, fields["connection"]) == (307, "close")
            assert connection.recv(1) == b""
        assert server.wait() == 0
        assert server.family() == []


def _is_refused(server: RunningServer) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_idle_connections_do_not_hold_up_a_drain(rules: Path, tmp_path: Path) -> None:
    with (
        RunningServer(rules, tmp_path, server={"drain_timeout": 15}) as server,
        server.connect() as connection,
    ):
        exchange(connection, "/v1/7")
        server.signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert connection.recv(1) == b""


def test_a_connection_that_never_ends_is_cut_at_the_drain_timeout(rules: Path, tmp_path: Path) -> None:
    with (
        RunningServer(rules, tmp_path, server={"drain_timeout": 0.5}) as server,
        server.connect() as connection,
    ):
        connection.sendall(b"GET /v1/7 HTTP/1.1\r\n")
        server.ask("/v1/7")
        server.signal(signal.SIGTERM)
        assert server.process.wait(8) == 0


def test_readyz_says_503_during_the_drain_delay_while_requests_are_answered(
    rules: Path, tmp_path: Path
) -> None:
    with RunningServer(rules, tmp_path, server={"drain_delay": 2}) as server:
        eventually(lambda: _readiness(server) == 200, "ready")
        server.signal(signal.SIGTERM)
        eventually(lambda: _readiness(server) == 503, "not ready")
        assert server.ask("/v1/7") == (307, LOCATION)
        assert server.read_admin("/healthz") == "ok\n"
        assert server.wait() == 0


def _readiness(server: RunningServer) -> int:
    host, _, port = server.admin.rpartition("/")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return read_answer(connection)[0]


def test_ctrl_c_reaches_the_whole_group_and_still_drains(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        with server.connect() as connection:
            connection.sendall(b"GET /v1/7 HTTP/1.1\r\n")
            server.ask("/v1/7")
            os.killpg(server.process.pid, signal.SIGINT)
            server.wait_for("draining")
            connection.sendall(b"Host: example.com\r\n\r\n")
            assert read_answer(connection) == (307, LOCATION)
        assert server.wait() == 0


def test_a_second_sigint_aborts(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server, server.connect() as connection:
        connection.sendall(b"GET /v1/7 HTTP/1.1\r\n")
        server.ask("/v1/7")
        server.signal(signal.SIGINT)
        server.wait_for("draining")
        server.signal(signal.SIGINT)
        assert server.wait() == 130
        assert server.family() == []


def test_nobody_is_left_when_the_parent_is_killed(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 3}) as server:
        assert len(server.family()) == 5
        server.process.kill()
        server.process.wait()
        eventually(lambda: server.family() == [], "no process left")


def test_the_access_log_is_one_json_line_an_answer(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"access_log": True, "workers": 2}) as server:
        for number in range(30):
            server.ask(f"/v1/{number}", "PUT")
        lines = eventually(lambda: _whole_lines(server.stdout, 30), "30 lines")
        seen = [json.loads(line) for line in lines]
        assert sorted(line["target"] for line in seen) == sorted(f"/v1/{number}" for number in range(30))
        assert {(line["method"], line["status"], line["rule"]) for line in seen} == {("PUT", 307, "moved")}


def _whole_lines(path: Path, wanted: int) -> list[str] | None:
    lines = path.read_text().splitlines()
    return lines if len(lines) >= wanted else None


def test_what_is_still_in_the_log_is_written_at_the_end(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"access_log": True}) as server:
        server.ask("/v1/7")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert json.loads(server.stdout.read_text())["target"] == "/v1/7"


def test_admin_off_starts_no_admin_process(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, admin="off", server={"workers": 2}) as server:
        assert "admin" not in server.log
        assert len(server.family()) == 3


def test_a_404_tells_the_operator_which_rule_nearly_answered(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        assert server.ask("/other/")[0] == 404
        server.wait_for(
            "404 for GET http://example.com/other/: not rule other, because it matches /other, not /other/"
        )


def test_connections_are_limited_to_what_the_descriptors_allow(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, listener={"max_connections": 10_000_000}) as server:
        assert "max_connections is cut to fit" in server.log
        assert server.ask("/v1/7") == (307, LOCATION)


def test_warnings_of_the_rules_are_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "detours.toml"
    path.write_text('[[rule]]\nname = "old"\nimport = "_redirects"\ndialect = "netlify"\non_fault = "pass"\n')
    (tmp_path / "_redirects").write_text("/a /b 302 Role=admin\n/c /d 302\n")
    with RunningServer(path, tmp_path) as server:
        assert "_redirects:1" in server.log
        assert server.ask("/c") == (302, "/d")
