"""Browsers without a driver: one opens the lab's page, runs its cases, and is ended when none is left.

`browsers.py BROWSER MEANS` runs one, `browsers.py BROWSER --version` prints its version. Each has a profile
of its own that is thrown away, asks nobody but the lab, and takes the lab's certificates: Chromium and WebKit
take any, Firefox those two.
"""

from __future__ import annotations

import ctypes
import glob
import hashlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

_LOOK = 0.5  # seconds between two looks whether the browser is still there
_END = 2.0  # seconds a program may take to end
_SCREEN = "1024x768x24"

Origins = dict[str, str]  # letter: URL


@dataclass(frozen=True)
class Browser:
    """One browser. `words` makes its command line for a profile and its origins, without the page."""

    words: Callable[[Path, Origins], list[str]]
    version: Callable[[], str]
    screen: bool = False  # whether it needs an X server


# Chromium

_CHROMIUM = (
    "--headless=new",
    "--ignore-certificate-errors",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-proxy-server",
)


def _chromium(profile: Path, _: Origins) -> list[str]:
    own = () if os.geteuid() else ("--no-sandbox",)  # it has no sandbox for root
    return [_program("chromium"), *_CHROMIUM, *own, f"--user-data-dir={profile}"]


# Firefox. Nothing is asked of Mozilla; a certificate is taken because its digest stands in the profile.

_PREFERENCES: dict[str, object] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.firstRunURL": "",
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.http.speculative-parallel-limit": 0,
    "network.proxy.type": 0,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
}
_SHA256 = "OID.2.16.840.1.101.3.4.2.1"


def _firefox(profile: Path, origins: Origins) -> list[str]:
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items())
    (profile / "user.js").write_text("".join(lines))
    tls = (urlsplit(url) for url in origins.values() if url.startswith("https:"))
    overrides = (f"{url.netloc}:\t{_SHA256}\t{_digest(url.hostname or '', url.port or 0)}\t\n" for url in tls)
    (profile / "cert_override.txt").write_text("".join(overrides))
    return [_program("firefox-esr", "firefox"), "--headless", "--no-remote", "--profile", str(profile)]


def _digest(host: str, port: int) -> str:
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((host, port)))
    return hashlib.sha256(certificate).digest().hex(":").upper()


# WebKit: the browser that comes with WebKitGTK.

_WEBKIT = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
_WEBKIT_LIBRARY = "libwebkit2gtk-4.1.so.0"


def _webkit(_: Path, __: Origins) -> list[str]:
    found = glob.glob(_WEBKIT)
    if not found:
        sys.exit(f"{_WEBKIT}: is not installed")
    return [found[0], "--private", "--ignore-tls-errors"]


def _webkit_version() -> str:
    _webkit(Path(), {})
    library = ctypes.CDLL(_WEBKIT_LIBRARY)
    parts = (getattr(library, f"webkit_get_{part}_version")() for part in ("major", "minor", "micro"))
    return ".".join(map(str, parts))


def _program(*names: str) -> str:
    """The first of these that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit(f"{names[0]} is not installed")
    return found


def _says(*names: str) -> str:
    asked = (_program(*names), "--version")
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


BROWSERS = {
    "chromium": Browser(_chromium, lambda: _says("chromium")),
    "firefox": Browser(_firefox, lambda: _says("firefox-esr", "firefox")),
    "webkit": Browser(_webkit, _webkit_version, screen=True),
}


@contextmanager
def _screen(needed: bool) -> Iterator[dict[str, str]]:
    """An X server without a screen, and what programs must know of it."""
    if not needed:
        yield {}
        return
    words = [_program("Xvfb"), "-displayfd", "1", "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    with _started(words, {}, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield {"DISPLAY": f":{server.stdout.readline().decode().strip()}"}


@contextmanager
def _started(
    words: list[str], environment: dict[str, str], stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(words, env={**os.environ, **environment}, stdout=stdout) as process:
        try:
            yield process
        finally:
            process.terminate()  # an X server that is killed leaves its lock behind
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END)
            process.kill()


def _wait(done: socket.socket, browser: subprocess.Popen[bytes]) -> str:
    """Until the page says that it is done; why it never will."""
    done.settimeout(_LOOK)
    while browser.poll() is None:
        with suppress(TimeoutError):
            done.accept()[0].close()
            return ""
    return f"the browser ended with {browser.returncode}"


def main(name: str, means: str) -> str:
    """Run one browser; "" or what went wrong."""
    browser = BROWSERS[name]
    if means == "--version":
        if browser.screen:
            _program("Xvfb")
        sys.stdout.write(f"{browser.version()}\n")
        return ""
    with urlopen(f"{os.environ['DETOUR_LAB']}/origins.json") as answer:
        origins: Origins = json.load(answer)
    with (
        socket.create_server(("127.0.0.1", 0)) as done,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        _screen(browser.screen) as screen,
    ):
        told = {
            "client": os.environ["DETOUR_LAB_CLIENT"],
            "means": means,
            "done": f"http://127.0.0.1:{done.getsockname()[1]}/",
        }
        page = f"{origins['a']}/lab/programs/page.html?{urlencode(told)}"
        with _started([*browser.words(Path(profile), origins), page], screen) as process:
            return _wait(done, process)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
