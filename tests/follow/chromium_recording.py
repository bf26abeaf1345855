"""What Chromium records of a visit, as its network panel exports it (HAR 1.2), by the debugging pipe.

The fields of an entry are those of DevTools' own export: an answer that the browser made up itself comes as a
`redirectResponse` like any other.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.examples.clients.chromium_program import FLAGS
from tests.examples.running import plain_environment, program

Message = dict[str, Any]
PATIENCE = 60.0


class Chromium:
    """A headless browser; names lead to loopback ports as `doors` says: `{"shop.test:80": 8080}`."""

    def __init__(self, folder: Path, doors: Mapping[str, int], *flags: str) -> None:
        rules = ", ".join(f"MAP {name} 127.0.0.1:{port}" for name, port in doors.items())
        from_us, self._out = os.pipe()
        self._in, to_us = os.pipe()
        self._log = (folder / "chromium.log").open("wb")
        argv = [
            *("bash", "-c", f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}', program("chromium")),
            *(flag for flag in FLAGS if flag != "--ignore-certificate-errors"),
            *(f"--user-data-dir={folder}/profile", "--remote-debugging-pipe", *flags),
            *((f"--host-resolver-rules={rules}, MAP * ~NOTFOUND",) if rules else ()),
            "about:blank",
        ]
        self._process = subprocess.Popen(
            argv,
            pass_fds=(from_us, to_us),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=plain_environment(),
            start_new_session=True,
        )
        os.close(from_us)
        os.close(to_us)
        self._rest, self._number, self._session = b"", 0, ""
        self.events: list[Message] = []

    def __enter__(self) -> Self:
        try:
            targets = self.ask("Target.getTargets")["targetInfos"]
            page = next(one["targetId"] for one in targets if one["type"] == "page")
            self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            self.ask("Network.enable")
            self.ask("Page.enable")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._log.close()

    def ask(self, method: str, **parameters: Any) -> Message:
        """One command of the DevTools protocol, and its result."""
        self._number += 1
        told: Message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            told["sessionId"] = self._session
        os.write(self._out, json.dumps(told).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                result: Message = message["result"]
                return result

    def visit(self, url: str) -> None:
        """Go there, and wait until the page is loaded or has failed."""
        self.ask("Page.navigate", url=url)
        self._loaded()

    def submit(self, action: str, content: str) -> None:
        """A form with one field, sent by POST from the page that is shown."""
        script = (
            "const form = document.createElement('form'); form.method = 'POST';"
            f"form.action = {json.dumps(action)}; const field = document.createElement('input');"
            f"field.name = 'a'; field.value = {json.dumps(content)}; form.append(field);"
            "document.body.append(form); form.submit()"
        )
        self.ask("Runtime.evaluate", expression=script)
        self._loaded()

    def recording(self) -> bytes:
        """What was seen so far, as a HAR file."""
        entries = list(_entries([one for one in self.events if one["method"].startswith("Network.")]))
        log = {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": []}
        return json.dumps({"log": {**log, "entries": entries}}).encode()

    def _loaded(self) -> None:
        for method in ("Page.frameNavigated", "Page.frameStoppedLoading"):
            while self._next().get("method") != method:
                pass

    def _next(self) -> Message:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else b""
            assert piece, "Chromium says nothing any more"
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        message: Message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message


def _entries(events: Sequence[Message]) -> Iterator[Message]:
    """One entry for each request; a redirect is one of its own, as in the network panel."""
    open_requests: dict[str, Message] = {}
    failed: dict[str, str] = {}
    answered: dict[str, Message] = {}
    order: list[tuple[Message, Message | None, str]] = []
    for event in events:
        said, method = event["params"], event["method"]
        if method == "Network.requestWillBeSent":
            if "redirectResponse" in said:
                order.append((open_requests[said["requestId"]], said["redirectResponse"], ""))
            open_requests[said["requestId"]] = said
        elif method == "Network.responseReceived":
            answered[said["requestId"]] = said["response"]
        elif method == "Network.loadingFailed":
            failed[said["requestId"]] = said["errorText"]
    for number, request in open_requests.items():
        order.append((request, answered.get(number), failed.get(number, "")))
    order.sort(key=lambda one: one[0]["timestamp"])
    for request, response, error in order:
        yield _entry(request["request"], request["wallTime"], response, error)


def _entry(request: Message, wall_time: float, response: Message | None, error: str) -> Message:
    began = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(wall_time))
    asked: Message = {
        "method": request["method"],
        "url": request["url"],
        "httpVersion": "http/1.1",
        "headers": _pairs(request["headers"]),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(request.get("postData", "")),
    }
    if "postData" in request:
        asked["postData"] = {"mimeType": "", "text": request["postData"]}
    return {
        "startedDateTime": began,
        "time": 0,
        "request": asked,
        "response": _response(response, error),
        "cache": {},
        "timings": _timings((response or {}).get("timing")),
        "serverIPAddress": (response or {}).get("remoteIPAddress", ""),
    }


def _response(response: Message | None, error: str) -> Message:
    said = response or {}
    fields = said.get("headers", {})
    return {
        "status": said.get("status", 0),
        "statusText": said.get("statusText", ""),
        "httpVersion": said.get("protocol", ""),
        "headers": _pairs(fields),
        "cookies": [],
        "content": {"size": 0, "mimeType": said.get("mimeType", "x-unknown")},
        "redirectURL": {name.lower(): value for name, value in fields.items()}.get("location", ""),
        "headersSize": -1,
        "bodySize": -1,
        "_error": error or None,
    }


def _timings(timing: Message | None) -> Message:
    """HAR's phases of DevTools' instants (milliseconds since the request began; -1: did not happen)."""
    if timing is None:
        return {"blocked": -1, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": 0, "receive": 0}

    def span(start: str, end: str) -> float:
        return -1 if timing[start] < 0 else timing[end] - timing[start]

    return {
        "blocked": max(0, timing["dnsStart"]),
        "dns": span("dnsStart", "dnsEnd"),
        "ssl": span("sslStart", "sslEnd"),
        "connect": span("connectStart", "connectEnd"),
        "send": span("sendStart", "sendEnd"),
        "wait": timing["receiveHeadersEnd"] - timing["sendEnd"],
        "receive": 0,
    }


def _pairs(fields: Mapping[str, str]) -> list[Message]:
    return [{"name": name, "value": one} for name, value in fields.items() for one in str(value).split("\n")]
