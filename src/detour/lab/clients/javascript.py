"""Clients for JavaScript, in the Node that npm installs beside them."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_MODULES = "{programs}/node_modules"
_NODE = f"{_MODULES}/.bin/node"

_NO_WEBSOCKET = {"websocket": "has no WebSocket"}
_NO_EXPECT = {"expect": "does not wait for 100"}
_NO_CHUNKS = {"chunked": "sends what it has in memory with its length"}
_CLOSED = (
    "a request without content closes the stream that was made of the form; where Node still writes to it, "
    "the program ends with ERR_INVALID_STATE"
)


def _library(
    package: str,
    follows: str = "as it does of itself",
    *,
    program: str = "",
    cannot: Mapping[str, str] = {},
    races: Mapping[str, str] = {},
) -> Client:
    """A package of npm, driven by `node/PROGRAM.mjs`."""
    return Client(
        name=package,
        language="JavaScript",
        follows=follows,
        version=_version(package),
        command=(_NODE, f"{{programs}}/node/{program or package}.mjs"),
        install=Install(npm=("node", package)),
        cannot={**_NO_EXPECT, **cannot},
        races=races,
    )


def _version(package: str) -> Words:
    return (_NODE, "-p", f"require('{_MODULES}/{package}/package.json').version")


CLIENTS = (
    Client(
        name="Node fetch",
        language="JavaScript",
        follows="as it does of itself",
        version=(_NODE, "--version"),
        command=(_NODE, "{programs}/node/fetch.mjs"),
        install=Install(npm=("node",)),
        cannot={**_NO_WEBSOCKET, **_NO_EXPECT, **_NO_CHUNKS},
    ),
    _library("undici", "request, interceptors.redirect with maxRedirections 20"),
    _library("axios", cannot={**_NO_WEBSOCKET, **_NO_CHUNKS}),
    _library(
        "got",
        cannot=_NO_WEBSOCKET,
        races={"DELETE/multipart": _CLOSED, "OPTIONS/multipart": _CLOSED},
    ),
    _library("node-fetch", program="node_fetch", cannot={**_NO_WEBSOCKET, **_NO_CHUNKS}),
    _library(
        "follow-redirects",
        program="follow_redirects",
        cannot={**_NO_WEBSOCKET, "multipart": "makes no forms"},
    ),
    _library("superagent", cannot={**_NO_WEBSOCKET, **_NO_CHUNKS}),
    _library("ky", cannot={**_NO_WEBSOCKET, **_NO_CHUNKS}),
)
