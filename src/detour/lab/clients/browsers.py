"""Browsers, each as three clients: by `fetch`, by XMLHttpRequest, and by a form."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install

_NO_WEBSOCKET = {"websocket": "has no WebSocket"}
_BY_SCRIPT = {
    "chunked": "chunks what it streams, not what it has in memory",
    "expect": "a page cannot set Expect (Fetch §2.2.2)",
}
_BY_FORM = {
    **dict.fromkeys(("json", "large", "file", "stream"), "a form sends its own fields and nothing else"),
    **dict.fromkeys(("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"), "forms know GET and POST"),
}

# How a page asks: what users call it, and what it cannot send.
_MEANS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "fetch": ("fetch", _BY_SCRIPT),
    "xhr": ("XMLHttpRequest", {**_BY_SCRIPT, **_NO_WEBSOCKET, "stream": "takes no stream"}),
    "form": ("a form in a frame, a link for GET", {**_BY_SCRIPT, **_NO_WEBSOCKET, **_BY_FORM}),
}

_BROWSERS: Mapping[str, Install] = {
    "chromium": Install(debian=("chromium",)),
    "firefox": Install(debian=("firefox-esr",)),
    "webkit": Install(debian=("libwebkit2gtk-4.1-0", "xvfb")),
}


def _client(browser: str, means: str) -> Client:
    words, cannot = _MEANS[means]
    program = ("{python}", "{programs}/browsers.py", browser)
    return Client(
        name=f"{browser}-{means}",
        language="browser",
        follows=f"{words}, as it does of itself",
        version=(*program, "--version"),
        command=(*program, means),
        install=_BROWSERS[browser],
        cannot=cannot,
        caller="browser",
        starts_in=60.0,
    )


CLIENTS = tuple(_client(browser, means) for browser in _BROWSERS for means in _MEANS)
