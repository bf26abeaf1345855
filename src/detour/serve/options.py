"""What the command line says about the server, laid over what the rule file says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from detour.core.settings import ListenerSettings, ServerSettings
from detour.core.url import URL
from detour.errors import ServeError, URLError

OFF = "off"
DEFAULT_ADMIN = "127.0.0.1:8308"
_FEWEST_WORKERS = 2


class Options(msgspec.Struct, frozen=True):
    """Flags of `detour serve`; what is not given is left to the rule file."""

    listen: tuple[str, ...] = ()  # replaces the file's listeners; the same URL keeps its settings
    listener: Mapping[str, Any] = {}  # keys of [[listener]], for every listener
    server: Mapping[str, Any] = {}  # keys of [server], laid over the file's at each reload
    admin: str = DEFAULT_ADMIN  # ADDRESS:PORT, or "off"


def choose_listeners(written: tuple[ListenerSettings, ...], options: Options) -> tuple[ListenerSettings, ...]:
    """The listeners to bind; raises `ServeError` when a certificate is given and none speaks TLS."""
    if options.listen:
        by_url = {_key(settings.listen): settings for settings in written}
        chosen = tuple(by_url.get(_key(url), ListenerSettings(listen=url)) for url in options.listen)
    else:
        chosen = written or (ListenerSettings(),)
    if options.listener.get("cert") and not any(_speaks_tls(settings) for settings in chosen):
        raise ServeError("a certificate, but no listener with TLS; add --listen https://ADDRESS:PORT")
    return tuple(_override(settings, options.listener) for settings in chosen)


def count_workers(server: ServerSettings) -> int:
    """How many workers to run: as set, else the processors this process may use, at least two."""
    if server.workers is not None:
        return server.workers
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(_FEWEST_WORKERS, usable or 1)


def _override(settings: ListenerSettings, keys: Mapping[str, Any]) -> ListenerSettings:
    fitting = {key: value for key, value in keys.items() if key != "cert" or _speaks_tls(settings)}
    return msgspec.structs.replace(settings, **fitting)


def _speaks_tls(settings: ListenerSettings) -> bool:
    return settings.listen.lower().startswith("https:")


def _key(listen: str) -> str:
    try:
        return URL.parse(listen).origin
    except URLError:
        return listen  # refused where it is bound, with a remedy
