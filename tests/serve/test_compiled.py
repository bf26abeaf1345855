"""A server that was given compiled rules: it holds a copy, and takes the next file as it takes rule files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from detour.load import compile_into
from tests.serve.running_server import RunningServer, exchange, rule


def compile_version(number: int, output: Path, lines: int = 2000) -> Path:
    rules = output.with_name(f"v{number}.toml")
    rules.write_text(
        rule("moved", "/v", f"https://v{number}.example/")
        + f'[[rule]]\nname = "bulk"\nimport = "v{number}.csv"\ndialect = "csv"\n'
    )
    rows = (f"/b/{n},https://v{number}.example/{n}\n" for n in range(lines))
    rules.with_suffix(".csv").write_text("".join(rows))
    with output.open("wb+") as file:
        compile_into(file.fileno(), rules)
    return output


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    return compile_version(1, tmp_path / "rules.compiled")


def serves(server: RunningServer, number: int) -> bool:
    found = {server.ask(path) for path in ("/v", "/b/0", "/b/1999")}
    return found == {(307, f"https://v{number}.example/{rest}") for rest in ("", "0", "1999")}


def test_compiled_rules_are_served_and_no_rule_file_is_needed(compiled: Path, tmp_path: Path) -> None:
    (tmp_path / "v1.toml").unlink()
    (tmp_path / "v1.csv").unlink()
    with RunningServer(compiled, tmp_path) as server:
        assert "ready: 2,001 rules" in server.log
        assert serves(server, 1)


def test_a_file_renamed_over_the_old_one_takes_effect(compiled: Path, tmp_path: Path) -> None:
    with RunningServer(compiled, tmp_path) as server:
        assert serves(server, 1)
        compile_version(2, tmp_path / "fresh").rename(compiled)
        server.wait_for("reloaded: 2,001 rules")
        assert serves(server, 2)


def test_rules_may_be_written_over_in_place_while_they_are_asked_for(compiled: Path, tmp_path: Path) -> None:
    second = compile_version(2, tmp_path / "second").read_bytes()
    failed: list[object] = []
    stop = threading.Event()
    with RunningServer(compiled, tmp_path) as server:

        def ask() -> None:
            seen = 1
            with server.connect() as connection:
                while not stop.is_set():
                    for path in ("/v", "/b/1999"):
                        status, location = exchange(connection, path)
                        number = int((location or "https://v0")[9])
                        if status != 307 or number < seen:
                            failed.append((status, location))
                        seen = number

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        compiled.write_bytes(b"")  # pulled from under whoever would map it
        compiled.write_bytes(second[: len(second) // 2])
        server.wait_for("not reloaded, the rules of before stay in force")
        assert serves(server, 1)
        compiled.write_bytes(second)
        server.wait_for("reloaded: 2,001 rules")
        stop.set()
        for thread in asking:
            thread.join()
        assert serves(server, 2)
    assert failed == []


def test_a_damaged_file_changes_nothing_and_is_told_in_one_line(compiled: Path, tmp_path: Path) -> None:
    octets = bytearray(compiled.read_bytes())
    octets[1000] ^= 1
    with RunningServer(compiled, tmp_path) as server:
        compiled.write_bytes(octets)
        server.wait_for(f"{compiled}: compiled rules, but damaged (records); compile it again")
        assert serves(server, 1)
        compile_version(2, compiled)
        server.wait_for("reloaded: 2,001 rules")
        assert serves(server, 2)
