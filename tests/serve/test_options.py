"""Flags laid over the rule file."""

from __future__ import annotations

import pytest

from detour.core.settings import ListenerSettings, ServerSettings
from detour.errors import ServeError
from detour.serve.options import Options, choose_listeners, count_workers


def test_listen_flags_replace_listeners_but_the_same_url_keeps_its_settings() -> None:
    written = (
        ListenerSettings(listen="http://127.0.0.1:80", health="/up"),
        ListenerSettings(listen="http://[::1]:81"),
    )
    chosen = choose_listeners(written, Options(listen=("http://127.0.0.1/", "http://127.0.0.1:82")))
    assert [(settings.health, settings.listen) for settings in chosen] == [
        ("/up", "http://127.0.0.1:80"),
        (None, "http://127.0.0.1:82"),
    ]


def test_without_any_listener_it_is_8307_on_loopback() -> None:
    assert choose_listeners((), Options())[0].listen == "http://127.0.0.1:8307"


def test_a_certificate_flag_goes_to_listeners_with_tls_only() -> None:
    options = Options(listen=("http://127.0.0.1:1", "https://127.0.0.1:2"), listener={"cert": ("c.pem",)})
    assert [settings.cert for settings in choose_listeners((), options)] == [(), ("c.pem",)]
    with pytest.raises(ServeError, match="add --listen https"):
        choose_listeners((), Options(listener={"cert": ("c.pem",)}))


def test_without_a_number_there_are_at_least_two_workers() -> None:
    assert count_workers(ServerSettings()) >= 2
    assert count_workers(ServerSettings(workers=1)) == 1
