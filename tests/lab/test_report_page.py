"""The HTML report in a browser: a cell leads to its bytes, filters show what they say, nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detour.lab.report import FORMATS
from detour.lab.result import Results
from tests.examples.running import eventually
from tests.follow.chromium_recording import Chromium
from tests.lab.simulated_run import four_and_one_absent, results


@pytest.fixture(scope="module")
def run() -> Results:
    return four_and_one_absent()


class Page:
    """The report, opened."""

    def __init__(self, browser: Chromium, url: str) -> None:
        self._browser, self._url = browser, url
        self.open()

    def open(self, fragment: str = "") -> None:
        self._browser.visit("about:blank")
        self._browser.visit(self._url + fragment)
        eventually(lambda: self.value("document.body.dataset.ready") == "yes", "the page")

    def value(self, script: str) -> Any:
        """What the script comes to, in the page."""
        result = self._browser.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"]
        assert result.get("subtype") != "error", result
        return result.get("value")

    def choose(self, **fields: str) -> None:
        for name, value in fields.items():
            self.value(f"document.getElementById({name!r}).value = {value!r}")
        self.value("document.getElementById('filter').dispatchEvent(new Event('input'))")

    def rows(self) -> list[str]:
        names: list[str] = self.value(
            "[...document.querySelectorAll('#cells tbody th')].map(x => x.textContent)"
        )
        return names

    def columns(self) -> list[str]:
        names: list[str] = self.value(
            "[...document.querySelectorAll('#cells thead span')].map(x => x.textContent)"
        )
        return names

    def cell(self) -> str:
        """The text of the cell that is open; "" while there is none."""
        text: str = self.value("(cell => cell.hidden ? '' : cell.innerText)(document.getElementById('cell'))")
        return text


@pytest.fixture(scope="module")
def opened(run: Results, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("report")
    (folder / "lab.html").write_text(FORMATS["html"](run), encoding="utf-8")
    with Chromium(folder, {}) as browser:
        yield Page(browser, (folder / "lab.html").as_uri())


@pytest.fixture
def page(opened: Page) -> Page:
    opened.open()
    return opened


def test_all_cells_are_there(page: Page, run: Results) -> None:
    assert page.rows() == [case.id for case in run.cases]
    assert page.columns() == ["honest 1.0", "forgetful 1.0", "trusting 1.0", "fickle 1.0"]
    assert page.value("document.querySelectorAll('#cells td').length") == 4 * len(run.cases)


def test_filters_show_what_they_say(page: Page, run: Results) -> None:
    page.choose(status="303", group="same")
    assert page.rows() == [case.id for case in run.cases if case.group == "same" and 303 in case.statuses]
    page.choose(status="", group="", verdict="lost")
    lost = {cell.case for client in run.clients for cell in client.cells if cell.request == "lost"}
    assert set(page.rows()) == lost
    page.choose(verdict="varying")
    varying = {cell.case for client in run.clients for cell in client.cells if cell.unsettled}
    assert set(page.rows()) == varying
    page.choose(verdict="", words="307/post/str")
    assert page.rows() == ["same/307/POST/stream"]


def test_clients_can_be_chosen(page: Page) -> None:
    page.value("document.querySelector('#clients input[value=\"0\"]').click()")
    assert page.columns() == ["forgetful 1.0", "trusting 1.0", "fickle 1.0"]
    page.choose(verdict="lost")
    lost = page.rows()
    page.value("document.querySelector('#clients input[value=\"1\"]').click()")
    assert lost
    assert page.rows() == []
    page.value("document.getElementById('all').click()")
    assert len(page.columns()) == 4


def test_a_question_of_the_matrix_leads_to_its_cases(page: Page) -> None:
    page.value('document.querySelector(\'#matrix td[data-client="1"][data-q="content stream"]\').click()')
    assert page.columns() == ["forgetful 1.0"]
    assert page.rows()
    assert all(name.endswith("/stream") for name in page.rows())


def test_a_click_on_a_cell_shows_what_was_sent_and_where_it_differed(page: Page) -> None:
    assert page.cell() == ""
    page.choose(words="same/307/POST/stream")
    page.value("document.querySelector('#cells td[data-client=\"1\"]').click()")
    eventually(page.cell, "the cell")
    told = page.cell()
    for words in (
        "forgetful 1.0",
        "RFC 9110 §15.4.8",
        "kept, refused",
        "lost request 2, POST: the method is kept, the content is gone",
        "status 200, at http://127.0.0.1:8001/",
        "POST /t0123456789abcde/1/here HTTP/1.1",
        "content first differs at octet 0",
        "0 octets of content",
    ):
        assert words in told, words
    page.value("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert page.cell() == ""


def test_keys_move_from_cell_to_cell(page: Page) -> None:
    page.value("document.querySelector('#cells td').focus()")
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        event = f"new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true}})"
        page.value(f"document.activeElement.dispatchEvent({event})")
    eventually(page.cell, "the cell")
    assert "forgetful 1.0" in page.cell()
    assert "same/301/GET/empty" in page.cell()


def test_a_link_opens_a_cell(page: Page) -> None:
    page.open("#trusting:credentials/307/GET/authorization/other-host")
    eventually(page.cell, "the cell")
    assert "leaked Authorization, request 2, at the other host over http" in page.cell()


def test_what_a_client_wrote_becomes_no_markup(page: Page, run: Results, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=document.title='obeyed'>"
    client = run.clients[0]
    first = client.cells[0]
    judgement = msgspec.structs.replace(first.shown.judgement, why=hostile)
    shown = msgspec.structs.replace(first.shown, judgement=judgement)
    bad = msgspec.structs.replace(client, name=hostile, cells=(msgspec.structs.replace(first, shown=shown),))
    file = tmp_path / "bad.html"
    file.write_text(FORMATS["html"](results(bad)), encoding="utf-8")
    with Chromium(tmp_path, {}) as browser:
        there = Page(browser, file.as_uri())
        there.value("document.querySelector('#cells td').click()")
        eventually(there.cell, "the cell")
        assert hostile in there.cell()
        assert there.value("document.title") == "Detour lab, 2026-11-22"
        assert there.value("document.images.length") == 0
