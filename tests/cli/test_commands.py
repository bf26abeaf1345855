"""The commands as a user types them: exit status, stdout, stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from detour.cli.match import report
from detour.core.decision import Decision
from detour.core.message import METHODS, TARGET_LIMIT
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL

RULES = """
[[rule]]
name = "orders"
pattern = "https://api.example.com/v1/orders/*"
location = "https://api.example.com/v2/orders/{0}"
methods = ["GET", "POST"]
until = 2030-01-01T00:00:00Z
[[rule.expect]]
request = "POST https://api.example.com/v1/orders/7?x=1"
location = "https://api.example.com/v2/orders/7?x=1"
"""


def detour(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from detour.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)


@pytest.fixture
def rules(tmp_path: Path) -> str:
    file = tmp_path / "detours.toml"
    file.write_text(RULES)
    return str(file)


def test_match_prints_the_decision(rules: str) -> None:
    done = detour("match", rules, "POST", "https://api.example.com/v1/orders/7")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == f"307 by orders ({rules}:2)"
    assert "  Location: /v2/orders/7" in done.stdout
    assert done.stderr == ""


def test_match_json_is_one_document(rules: str) -> None:
    done = detour("match", rules, "POST", "https://api.example.com/v1/orders/7?x", "--json")
    document = json.loads(done.stdout)
    assert list(document) == ["status", "location", "location_url", "rule", "span", "headers", "skipped"]
    assert document["location_url"] == "https://api.example.com/v2/orders/7?x"


def test_match_json_loses_no_value_of_a_repeated_field(tmp_path: Path) -> None:
    file = tmp_path / "detours.toml"
    file.write_text(
        '[[rule]]\nname = "a"\npattern = "/a"\nlocation = "/b"\nheaders = { Link = "<1>", X-A = "1" }\n'
    )
    document = json.loads(detour("match", str(file), "GET", "http://h/a", "--json").stdout)
    assert (document["headers"]["Link"], document["headers"]["X-A"]) == ("<1>", "1")
    repeated = Decision(404, fields=(("Link", "<1>"), ("X-A", "1"), ("Link", "<2>")))
    assert report(repeated, (), URL.parse("http://h/a"))["headers"] == {"Link": "<1>, <2>", "X-A": "1"}


def test_match_refuses_the_target_that_the_server_refuses(rules: str) -> None:
    prefix = "https://api.example.com/v1/orders/"
    longest = prefix + "x" * (TARGET_LIMIT - len("/v1/orders/"))
    assert detour("match", rules, "GET", longest).returncode == 0
    done = detour("match", rules, "GET", f"{longest}x", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["status"], document["location"]) == (1, 414, None)


def test_match_and_test_print_warnings(tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/a /b 302 Country=au\n")
    file = tmp_path / "detours.toml"
    file.write_text('[[rule]]\nname = "a"\nimport = "_redirects"\ndialect = "netlify"\non_fault = "pass"\n')
    for done in (detour("match", str(file), "GET", "http://h/a", "--json"), detour("test", str(file))):
        assert done.stderr.startswith("detour: warning: ")
        assert len(done.stderr.splitlines()) == 1


def test_match_without_a_redirect_exits_1_and_says_why(rules: str) -> None:
    done = detour("match", rules, "DELETE", "https://api.example.com/v1/orders/7", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert (document["status"], document["headers"]["Allow"]) == (405, "GET, HEAD, POST")
    assert [one["reason"] for one in document["skipped"]] == ["method"]


def test_match_asks_at_the_time_given(rules: str) -> None:
    url = "https://api.example.com/v1/orders/7"
    assert detour("match", rules, "GET", url, "--at", "2029-12-31T23:59:59Z").returncode == 0
    late = detour("match", rules, "GET", url, "--at", "2030-01-01T00:00:00Z")
    assert late.returncode == 1
    assert "window" in late.stdout


def test_match_names_at_most_twenty_skipped_rules(tmp_path: Path) -> None:
    file = tmp_path / "many.toml"
    file.write_text(
        "".join(
            f'[[rule]]\nname = "r{i}"\npattern = "/a"\nlocation = "/b"\nmethods = ["PUT"]\n'
            for i in range(25)
        )
    )
    document = json.loads(detour("match", str(file), "GET", "http://h/a", "--json").stdout)
    assert len(document["skipped"]) == 20
    assert document["skipped_more"] == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("match", "RULES", "get", "http://h/"), "write GET"),
        (("match", "RULES", "BREW", "http://h/"), "501"),
        (("match", "RULES", "GET", "h"), "is not a URL"),
        (("match", "RULES", "GET", "ftp://h/"), "use http or https"),
        (("match", "RULES", "GET", "http://h/", "-H", "x"), "'Name: value'"),
        (("match", "RULES", "GET", "http://h/", "--client", "x"), "does not appear to be"),
        (("match", "RULES", "GET", "http://h/", "--at", "noon"), "is no time"),
        (("match", "RULES", "GET", "http://h/", "--at", "2026-01-01"), "write 2026-01-01T00:00:00Z"),
        (("match", "RULES", "GET", "http://h/", "-H", "a b: c"), "'Name: value'"),
        (("match", "RULES", "GET", "http://h/", "-H", "A: b\r\nC: d"), "holds what no field can"),
        (("match", "RULES", "GET", "http://h/", "--json", "-H", "A: \udcff"), "holds what no field can"),
        (("explain", "\u00b2"), "the five are"),
        (("match", "nowhere.toml", "GET", "http://h/"), "cannot be read"),
        (("explain", "309"), "the five are"),
        (("mach",), "Did you mean 'match'?"),
        (("serve", "RULES", "--head-timeout", "soon"), "--head-timeout cannot be 'soon'; write a duration"),
        (("serve", "RULES", "--workers", "0"), "--workers cannot be 0; write a whole number from 1 to 1024"),
        (("serve", "RULES", "--listen", "8307"), "write http://ADDRESS:PORT"),
        (("test",), "rules"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(rules: str, arguments: tuple[str, ...], said: str) -> None:
    done = detour(*(rules if one == "RULES" else one for one in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_every_fault_of_a_file_is_its_own_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[[rule]]\nname = "a"\npattern = "v1"\nlocation = "/b"\nstatus = 308\n')
    done = detour("test", str(file))
    assert done.returncode == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == [f"{file}:3", f"{file}:5"]


def test_test_runs_every_example(rules: str) -> None:
    done = detour("test", rules)
    assert (done.returncode, done.stdout) == (0, "1 passed, 0 failed, 1 rules\n")


def test_test_says_what_failed_and_exits_1(tmp_path: Path) -> None:
    file = tmp_path / "detours.toml"
    file.write_text(
        RULES + '[[rule.expect]]\nrequest = "PUT https://api.example.com/v1/orders/7"\nstatus = 307\n'
    )
    done = detour("test", str(file))
    assert done.returncode == 1
    assert "expected this rule to answer, got 405, no rule answers" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed, 1 rules"


@pytest.mark.parametrize("code", sorted(REDIRECT_STATUSES))
def test_explain_is_made_from_the_table(code: int) -> None:
    done = detour("explain", str(code))
    status = REDIRECT_STATUSES[code]
    assert done.stdout.startswith(f"{code} {status.phrase} ({status.clause})")
    assert " ".join(status.meaning.split()) in " ".join(done.stdout.split())


def test_explain_without_a_status_shows_all_five() -> None:
    told = detour("explain").stdout
    assert [line[:3] for line in told.splitlines()[1:6]] == ["301", "302", "303", "307", "308"]


def test_explain_methods_lists_what_the_server_knows() -> None:
    assert set(detour("explain", "methods").stdout.split()) == METHODS


def test_schema_is_a_json_schema_of_every_key() -> None:
    document = json.loads(detour("schema").stdout)
    keys = set(document["$defs"]["RuleTable"]["properties"])
    assert {"name", "pattern", "location", "from", "until", "import", "pass", "expect"} <= keys


def test_schema_of_a_contract_has_its_keys_and_of_anything_else_is_refused() -> None:
    document = json.loads(detour("schema", "contract").stdout)
    assert {"url", "method", "status", "location", "row"} <= set(
        document["$defs"]["RequestTable"]["properties"]
    )
    assert detour("schema", "nonsense").returncode == 2


def test_a_dash_is_standard_input(rules: str) -> None:
    done = detour("match", "-", "POST", "https://api.example.com/v1/orders/7", stdin=RULES)
    assert done.stdout.splitlines()[0] == "307 by orders (-:2)"
    assert detour("serve", "-").returncode == 2


def test_version_and_help_answer() -> None:
    assert detour("--version").stdout.startswith("detour ")
    assert "serve" in detour().stdout
