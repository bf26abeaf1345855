"""Every client the lab knows: the rows of one language a file."""

from __future__ import annotations

from detour.lab.client import Client
from detour.lab.clients import browsers, command_line, go, javascript, jvm, perl, php, python, ruby

CLIENTS: tuple[Client, ...] = (
    *command_line.CLIENTS,
    *python.CLIENTS,
    *javascript.CLIENTS,
    *jvm.CLIENTS,
    *go.CLIENTS,
    *php.CLIENTS,
    *ruby.CLIENTS,
    *perl.CLIENTS,
    *browsers.CLIENTS,
)
