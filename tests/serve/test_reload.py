"""Reload: what changed takes effect, what is broken does not, and no connection ever goes back in time."""

from __future__ import annotations

import re
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from detour.serve.reload import shrinks_too_much
from tests.serve.running_server import ENDLESS, PATIENCE, RunningServer, eventually, exchange, rule


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "detours.toml"
    path.write_text(version(1))
    return path


def version(number: int) -> str:
    return rule("moved", "/v", f"https://v{number}.example/")


def replace(path: Path, text: str) -> None:
    """Put `text` in the place of `path` at once, as deployments do."""
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.rename(path)


def serves(server: RunningServer, number: int, path: str = "/v") -> bool:
    return server.ask(path) == (307, f"https://v{number}.example/")


def test_a_file_that_is_written_anew_takes_effect(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        assert serves(server, 1)
        rules.write_text(version(2))
        server.wait_for("reloaded: 1 rule in ")
        assert serves(server, 2)


def test_a_file_renamed_over_the_old_one_takes_effect(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        replace(rules, version(2))
        server.wait_for("reloaded")
        assert serves(server, 2)


def test_a_config_map_that_swaps_its_link_takes_effect(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "detours.toml").write_text(version(number))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "detours.toml").symlink_to("..data/detours.toml")
    with RunningServer(tmp_path / "detours.toml", tmp_path) as server:
        assert serves(server, 1)
        (tmp_path / "..tmp").symlink_to("..2")
        (tmp_path / "..tmp").rename(tmp_path / "..data")
        server.wait_for("reloaded")
        assert serves(server, 2)


def test_an_imported_file_is_watched_too(tmp_path: Path) -> None:
    path, imported = tmp_path / "detours.toml", tmp_path / "_redirects"
    path.write_text('[[rule]]\nname = "old"\nimport = "_redirects"\ndialect = "netlify"\n')
    imported.write_text("/v https://v1.example/ 307\n")
    with RunningServer(path, tmp_path) as server:
        assert serves(server, 1)
        imported.write_text("/v https://v2.example/ 307\n")
        server.wait_for("reloaded")
        assert serves(server, 2)


def test_a_bad_file_changes_nothing_and_every_fault_is_told(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        replace(rules, rule("a", "/a", "nowhere") + rule("b", "/b", "elsewhere"))
        server.wait_for("not reloaded")
        eventually(lambda: len(re.findall(r"detour: \S+detours\.toml:\d+", server.log)) == 2, "two faults")
        assert serves(server, 1)
        assert eventually(lambda: server.stats()["server"]["reload_failures"] == 1, "one failure")
        replace(rules, version(2))
        server.wait_for("reloaded: ")
        assert serves(server, 2)


def test_an_import_that_is_missing_is_taken_when_it_appears(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        replace(rules, '[[rule]]\nname = "old"\nimport = "_redirects"\ndialect = "netlify"\n')
        server.wait_for("not reloaded")
        assert serves(server, 1)
        (tmp_path / "_redirects").write_text("/v https://v2.example/ 307\n")
        server.wait_for("reloaded: ")
        assert serves(server, 2)


def test_a_faulty_import_that_only_the_refused_file_names_is_taken_when_it_is_mended(
    rules: Path, tmp_path: Path
) -> None:
    imported = tmp_path / "lists" / "_redirects"
    imported.parent.mkdir()
    imported.write_text("/v nowhere at all 999\n")
    with RunningServer(rules, tmp_path) as server:
        replace(rules, '[[rule]]\nname = "old"\nimport = "lists/_redirects"\ndialect = "netlify"\n')
        server.wait_for("not reloaded")
        (tmp_path / "beside").write_text("no affair of the rules")
        time.sleep(1)  # four looks
        assert server.log.count("not reloaded") == 1
        imported.write_text("/v https://v2.example/ 307\n")
        server.wait_for("reloaded: ")
        assert serves(server, 2)


def test_a_worker_that_hangs_holds_up_no_reload_for_long_and_is_replaced(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}, slowest_swap=0.5) as server:
        hung = server.workers()[0]
        hung.suspend()
        replace(rules, version(2))
        server.wait_for("has not taken the new rules after 0.5 s")
        server.wait_for("reloaded: 1 rule")
        server.wait_for("has not taken the rules after 1 s; it is killed")
        server.wait_for("it is replaced")
        eventually(lambda: hung not in server.workers() and len(server.workers()) == 2, "its successor")
        assert all(serves(server, 2) for _ in range(20))
        replace(rules, version(3))
        server.wait_for("reloaded: ", 2)
        assert all(serves(server, 3) for _ in range(20))


def test_a_set_that_shrinks_by_more_than_half_waits_for_sighup(rules: Path, tmp_path: Path) -> None:
    many = "".join(rule(f"r{number}", f"/{number}", "https://many.example/") for number in range(150))
    rules.write_text(version(1) + many)
    with RunningServer(rules, tmp_path) as server:
        replace(rules, version(2))
        server.wait_for("151 rules became 1; send SIGHUP")
        assert serves(server, 1)
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded: 1 rule ")
        assert serves(server, 2)


def test_only_large_sets_are_guarded_and_half_is_not_more_than_half() -> None:
    assert shrinks_too_much(101, 50)
    assert not shrinks_too_much(102, 51)
    assert not shrinks_too_much(100, 1)
    assert shrinks_too_much(1_000_000, 0)


def test_sighup_reloads_what_did_not_change_and_each_one_counts(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded: ")
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded: ", 2)
        assert eventually(lambda: server.stats()["server"]["reloads"] == 2, "two reloads")


def test_a_changed_listener_is_told_to_need_a_restart(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path) as server:
        text = '[server]\nworkers = 5\n[[listener]]\nlisten = "http://127.0.0.1:0"\nhealth = "/up"\n'
        replace(rules, text + version(2))
        server.wait_for("listeners changed; restart the server")
        server.wait_for("[server] workers changed; restart the server")
        server.wait_for("reloaded: ")
        assert serves(server, 2)
        assert server.ask("/up")[0] == 404


def test_hits_survive_reloads_and_a_renamed_rule_starts_at_0(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}) as server:
        for _ in range(7):
            assert serves(server, 1)
        replace(rules, version(2) + rule("more", "/more", "https://more.example/"))
        server.wait_for("reloaded: ")
        assert serves(server, 2)
        server.ask("/more")
        eventually(lambda: server.hits() == {"moved": 8, "more": 1}, "hits of old and new")
        replace(rules, version(3).replace("moved", "renamed"))
        server.wait_for("reloaded: ", 2)
        assert serves(server, 3)
        eventually(lambda: server.hits() == {"renamed": 1}, "hits from 0")
        replace(rules, version(4))
        server.wait_for("reloaded: ", 3)
        eventually(lambda: server.hits() == {"moved": 8}, "hits of the name that came back")


def test_many_new_rules_make_the_counters_grow(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}) as server:
        assert serves(server, 1)
        many = "".join(rule(f"r{number}", f"/{number}", "https://many.example/") for number in range(2000))
        replace(rules, version(2) + many)
        server.wait_for("reloaded: 2,001 rules")
        for number in (0, 1999, 1999):
            assert server.ask(f"/{number}") == (307, "https://many.example/")
        assert serves(server, 2)
        eventually(lambda: "r0" in server.hits(), "the new rules in the admin process")
        assert server.hits()["moved"] == 2
        assert '"hits":2' in server.read_admin("/rules?after=r1998")


def test_a_successor_of_a_dead_worker_has_the_newest_rules(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        replace(rules, version(2))
        server.wait_for("reloaded")
        server.workers()[0].kill()
        server.wait_for("it is replaced")
        assert serves(server, 2)


def test_reloads_leave_no_descriptor_open(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}) as server:
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded: ")
        before = _descriptors(server)
        for times in range(2, 8):
            server.signal(signal.SIGHUP)
            server.wait_for("reloaded: ", times)
        eventually(
            lambda: _descriptors(server) == before, f"{before} descriptors, not {_descriptors(server)}"
        )


def _descriptors(server: RunningServer) -> list[int]:
    family = server.family()
    workers = server.workers()
    return [process.num_fds() for process in (family[0], *workers)] if len(workers) == 1 else []


def test_under_load_every_answer_is_the_old_or_the_new_and_never_the_old_after_the_new(
    rules: Path, tmp_path: Path
) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 2}) as server:
        clients = [Client(server) for _ in range(4)]
        try:
            for number in range(2, 22):
                replace(rules, version(number))
                server.wait_for("reloaded: ", number - 1)
            eventually(lambda: sum(client.answered for client in clients) >= 20_000, "20,000 answers")
        finally:
            seen = [client.stop() for client in clients]
        assert all(versions == sorted(versions) for versions in seen)
        assert all(versions[0] == 1 and versions[-1] == 21 for versions in seen)
        assert serves(server, 21)


class Client:
    """Asks over and over on one connection; notes each change of the answer."""

    def __init__(self, server: RunningServer) -> None:
        self.answered = 0
        self._server = server
        self._versions: list[int] = []
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> list[int]:
        """The versions seen, in order, repetitions left out; raises what went wrong."""
        self._stopping.set()
        self._thread.join(PATIENCE)
        if self._failure is not None:
            raise self._failure
        return self._versions

    def _run(self) -> None:
        try:
            with self._server.connect() as connection:
                while not self._stopping.is_set():
                    self._note(*exchange(connection, "/v", "POST"))
        except BaseException as failure:
            self._failure = failure

    def _note(self, status: int, location: str | None) -> None:
        assert status == 307
        assert location is not None
        number = int(location.removeprefix("https://v").removesuffix(".example/"))
        if not self._versions or self._versions[-1] != number:
            self._versions.append(number)
        self.answered += 1


def test_compilation_runs_at_low_priority_in_a_process_of_its_own(rules: Path, tmp_path: Path) -> None:
    with RunningServer(rules, tmp_path, server={"workers": 1}, admin="off") as server:
        known = {process.pid for process in server.family()}
        replace(rules, ENDLESS)
        compiling = eventually(
            lambda: [p for p in server.family() if p.pid not in known], "the compile child"
        )[0]
        eventually(lambda: _niceness(compiling) == 10, "low priority")
        assert serves(server, 1)
        replace(rules, version(2))
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.family() == []


def _niceness(process: psutil.Process) -> int:
    return int(process.nice())
