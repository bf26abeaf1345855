"""Clients that are commands: one run a request."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_NO_EXPECT = {"expect": "does not wait for 100"}
_NO_CHUNKS = {"chunked": "announces a length always"}


def _command(
    name: str,
    follows: str,
    *,
    debian: str = "",
    version: Words = (),
    command: str = "",
    cannot: Mapping[str, str] = {},
) -> Client:
    return Client(
        name=name,
        language="command line",
        follows=follows,
        version=version or (name, "--version"),
        command=("{python}", "{programs}/command_line.py", command or name),
        install=Install(debian=(debian,) if debian else ()),
        cannot={"websocket": "has no WebSocket", **cannot},
    )


CLIENTS = (
    _command("curl", "-L", debian="curl"),
    _command(
        "wget",
        "as it does of itself",
        debian="wget",
        cannot={"multipart": "makes no forms", "stream": "sends files only", **_NO_CHUNKS, **_NO_EXPECT},
    ),
    _command(
        "wget2",
        "as it does of itself",
        debian="wget2",
        cannot={
            "multipart": "makes no forms",
            "stream": "sends files only",
            **_NO_CHUNKS,
            **_NO_EXPECT,
            **dict.fromkeys(("PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"), "knows GET, HEAD and POST"),
        },
    ),
    _command(
        "httpie",
        "--follow",
        debian="httpie",
        version=("http", "--version"),
        cannot=_NO_EXPECT,
    ),
    _command(
        "detour trace",
        "as it does of itself, --send",
        version=("{python}", "-c", "import detour; print(detour.__version__)"),
        command="detour",
        cannot={"multipart": "makes no forms", **_NO_CHUNKS},
    ),
)
