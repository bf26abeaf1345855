"""The browsers, by the lab's page: fetch, XMLHttpRequest and forms, without a driver."""

from __future__ import annotations

from functools import cache

import pytest

from detour.lab.clients import browsers
from detour.lab.result import ClientResult
from detour.lab.run import Manner
from tests.lab.asking import asked, cases

BROWSERS = ("chromium", "firefox", "webkit")
MEANS = ("fetch", "xhr", "form")
BY_NAME = {client.name: client for client in browsers.CLIENTS}

POST = "same/307/POST"
TLS = "origin/307/POST/json/http-to-https"
LIMIT = "chain/307x21/POST/json/fetch"
PREFLIGHT = "caller/307/PUT/preflight"
COOKIE = "credentials/307/GET/cookie/other-host"
KEY = "credentials/307/GET/x-api-key/other-host"
STREAM = f"{POST}/stream"
ASKED = (
    *(f"{POST}/{kind}" for kind in ("empty", "form", "json", "multipart", "file")),
    *("same/303/POST/form", "same/302/QUERY/json", "same/307/GET/none"),
    *(TLS, LIMIT, PREFLIGHT, COOKIE, KEY, STREAM, "location/307/POST/file"),
)

# "-": not asked, for a reason that the row has.
BY_SCRIPT = {
    **dict.fromkeys(ASKED, "kept"),
    "same/303/POST/form": "rewritten",
    LIMIT: "refused",
    PREFLIGHT: "refused",
    "location/307/POST/file": "refused",
    COOKIE: "unsupported",
}
EXPECTED = {
    "fetch": {**BY_SCRIPT, STREAM: "unsupported"},
    "xhr": {**BY_SCRIPT, STREAM: "-"},
    "form": {
        **dict.fromkeys(ASKED, "-"),
        **{f"{POST}/{kind}": "kept" for kind in ("empty", "form", "multipart")},
        "same/303/POST/form": "rewritten",
        "same/307/GET/none": "kept",
        COOKIE: "unsupported",
        KEY: "unsupported",
    },
}


@cache
def found(browser: str) -> dict[str, ClientResult]:
    """By each means, all that is asked."""
    rows = [BY_NAME[f"{browser}-{means}"] for means in MEANS]
    results = asked(rows, cases(*ASKED), Manner(twice=1)).clients
    return dict(zip(MEANS, results, strict=True))


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("means", MEANS)
def test_a_browser_does_what_fetch_says(browser: str, means: str) -> None:
    done = found(browser)[means]
    if done.absent:
        pytest.skip(f"{browser}: {done.absent}")
    told = {**dict.fromkeys(done.not_asked, "-"), **{one.case: one.request for one in done.cells}}
    assert told == EXPECTED[means]
    assert done.version.count(".") >= 1


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_browser_forwards_a_field_of_the_page_to_another_host(browser: str) -> None:
    done = found(browser)["fetch"]
    if done.absent:
        pytest.skip(f"{browser}: {done.absent}")
    (cell,) = (one for one in done.cells if one.case == KEY)
    assert cell.credentials == "forwarded"


@pytest.mark.parametrize("browser", BROWSERS)
def test_what_a_page_must_not_send_is_said_to_be_forbidden(browser: str) -> None:
    done = found(browser)["fetch"]
    if done.absent:
        pytest.skip(f"{browser}: {done.absent}")
    (cell,) = (one for one in done.cells if one.case == COOKIE)
    assert cell.shown.outcome.error == "Cookie is forbidden to a page"
    assert cell.shown.seen == ()
