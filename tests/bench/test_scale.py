"""The benchmark's own reasoning: that it asks what it says it asks, and loses no figure."""

from __future__ import annotations

from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from bench.machine import Machine
from bench.process import Cpu
from bench.scale.cells import Cell, CellFile, Refusal, Round, Setting
from bench.scale.hits import FEW_TARGETS, hits_of, write_targets
from bench.scale.kinds import HOST, KINDS, Kind
from bench.scale.plot import COLOURS, draw
from bench.scale.report import print_report
from bench.wrk import Outcome

from detour import Request
from detour.core.matcher import RuleSet
from tests.core.rules import rules

COUNT = 40
by_name = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def rule_set(kind: Kind) -> RuleSet:
    lines = "".join(f"{rule.source},{rule.template},307\n" for rule in kind.rules(COUNT))
    text = '[[rule]]\nname = "bulk"\nimport = "rules.csv"\ndialect = "csv"\n'
    return rules(text, **{"rules.csv": f"source,target,status\n{lines}"})


@by_name
def test_a_rule_is_asked_for_with_a_target_that_it_alone_matches(kind: Kind) -> None:
    ruleset, lot = rule_set(kind), Random(1)
    for number in range(COUNT):
        target, location = kind.ask(number, lot)
        request = Request.of("GET", f"http://{HOST}{target}")
        decision = ruleset.decide(request, 0)
        assert (decision.status, decision.location) == (307, location)
        assert [place for place, *_ in ruleset._index.candidates(request)] == [number]


@by_name
def test_a_miss_is_one(kind: Kind) -> None:
    ruleset, lot = rule_set(kind), Random(1)
    for number in range(COUNT, 2 * COUNT):
        assert ruleset.decide(Request.of("GET", f"http://{HOST}{kind.ask(number, lot)[0]}"), 0).status == 404


@by_name
@pytest.mark.parametrize(("hit", "wanted"), [("first", 0), ("middle", 20), ("last", 39)])
def test_targets_are_those_of_the_rule_that_is_named(
    kind: Kind, hit: str, wanted: int, tmp_path: Path
) -> None:
    ruleset = rule_set(kind)
    targets = write_targets(tmp_path / "targets", kind, COUNT, hit, most=5).read_text().split()
    for target in targets:
        (found, *_), *_ = ruleset._index.candidates(Request.of("GET", f"http://{HOST}{target}"))
        assert found == wanted


def test_random_targets_reach_all_rules_and_the_others_are_fewer(tmp_path: Path) -> None:
    kind = KINDS[0]
    random = write_targets(tmp_path / "a", kind, COUNT, "random").read_text().split()
    assert len(set(random)) == COUNT
    assert len(write_targets(tmp_path / "b", kind, COUNT, "first").read_text().split()) == FEW_TARGETS
    assert hits_of(1) == ("random", "miss")


def test_few_targets_are_distinct_even_of_one_rule(tmp_path: Path) -> None:
    targets = write_targets(tmp_path / "a", KINDS[0], 1, "random", most=100).read_text().split()
    assert len(set(targets)) == 100
    assert {target.partition("?")[0] for target in targets} == {"/old/item-000000"}


def test_an_answer_of_another_status_is_an_error_and_a_miss_must_be_one() -> None:
    outcome = Outcome(10, 1_000_000, 0, 3, 0, 0, 0, 0, p50=1, p99=2)  # three of status 400 or above
    one = Round(Cpu(user=0.25, system=0.25), outcome, others=0.0)
    assert one.errors("random") == 3
    assert one.errors("miss") == 7
    assert one.cost() == 50_000
    assert one.busy() == 0.5


# -- figures that were measured are not lost, and never mixed with others ------------------------------


SETTING = Setting(
    Machine(cpu="a", cores=2, kernel="k", python="3", date="2026-01-01"), {"detour": "1"}, 3, 1.0, 64
)


def cell(row: str = "detour", kind: str = "exact-slug", count: int = 1, cost: float = 10.0) -> Cell:
    figures = {"least": 1.0, "most": 99.0, "rate": 1e5, "p50": 1.0, "p99": 2.0, "busy": 1.0, "errors": 0}
    places = {"others": 0.0, "compiled": 0.0, "loaded": 0.1, "resident": 1, "private": 1}
    return Cell(row, kind, count, "random", cost, **figures, **places)


def test_a_run_that_was_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    CellFile(path, SETTING, resume=False).add(cell())
    with path.open("ab") as file:
        file.write(b'{"type":"cell","row":"ngi')
    again = CellFile(path, SETTING, resume=True)
    assert again.cells == [cell()]
    assert not again.lacks("detour", "exact-slug", 1, "random")
    assert again.lacks("nginx", "exact-slug", 1, "random")
    again.add(cell("nginx"))
    assert CellFile(path, SETTING, resume=True).cells == [cell(), cell("nginx")]


def test_what_was_refused_is_tried_again_by_the_next_run_only(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    cells = CellFile(path, SETTING, resume=False)
    cells.add(Refusal("caddy", "prefix", 10**6, "cannot hold"))
    assert not cells.lacks("caddy", "prefix", 10**6, "random")
    assert CellFile(path, SETTING, resume=True).lacks("caddy", "prefix", 10**6, "random")


def test_figures_of_other_settings_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "cells.jsonl"
    CellFile(path, SETTING, resume=False)
    other = Setting(SETTING.machine, SETTING.versions, 3, 2.0, 64)
    with pytest.raises(ValueError, match="start anew"):
        CellFile(path, other, resume=True)


def test_the_plot_has_a_line_for_each_row_and_the_report_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = CellFile(tmp_path / "cells.jsonl", SETTING, resume=False)
    for row in COLOURS:
        for count in (1, 10**6):
            cells.add(cell(row, count=count, cost=10.5 + len(row)))
    cells.add(Refusal("caddy", "prefix", 10**6, "cannot hold <it>"))
    plot = ElementTree.fromstring(draw(cells))
    lines = plot.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(COLOURS)
    print_report(cells)
    said = capsys.readouterr().out
    assert all(f"{10.5 + len(row):.1f}" in said for row in COLOURS)
    assert "cannot hold <it>" in said
