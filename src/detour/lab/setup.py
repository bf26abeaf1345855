"""What has to be installed for clients that are absent: the commands, and their running."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from detour.lab.client import Client, peers_folder, python_folder


def commands(absent: Sequence[Client]) -> list[list[str]]:
    """One command line for Debian, one for npm, and two for each client's own environment of Python."""
    debian = _packages([one.install.debian for one in absent])
    npm = _packages([one.install.npm for one in absent])
    found = [
        ["apt-get", "install", "--no-install-recommends", "-y", *debian] if debian else [],
        *(command for one in absent if one.install.pypi for command in _environment(one)),
        ["npm", "install", "--prefix", str(peers_folder()), *npm] if npm else [],
    ]
    return [command for command in found if command]


def carry_out(command: Sequence[str]) -> str:
    """Run it; "" or why it failed."""
    if "npm" in command:
        peers_folder().mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror or error}"
    return f"{command[0]}: exit {done.returncode}" if done.returncode else ""


def _environment(client: Client) -> list[list[str]]:
    """An environment is made without pip, and filled by Detour's: that takes no time."""
    folder = str(python_folder(client))
    return [
        [sys.executable, "-m", "venv", "--without-pip", folder],
        [sys.executable, "-m", "pip", "--python", folder, "install", *client.install.pypi],
    ]


def _packages(named: Sequence[tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(name for names in named for name in names))
