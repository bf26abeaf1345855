"""One client's program as a child: its places, its version, its start and its end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from detour.lab.client import Client, environment, filled_words, its_python, peers_folder

_VERSION_SECONDS = 60.0
_PREPARE_SECONDS = 300.0
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.\w]*\w)?")
_NUMBER = re.compile(r"\d+")
_LAST_WORDS = 400  # characters of what a program said before it ended


class Found(msgspec.Struct, frozen=True):
    """A client that is there, and its version; or why it is not."""

    version: str = ""
    absent: str = ""


def copy_programs(folder: Path) -> None:
    """The programs in a folder of their own, with the peers' `node_modules` beside them: that is where Node
    looks, and no bytecode or build is left in the package."""
    with as_file(files("detour.lab") / "programs") as programs:
        shutil.copytree(programs, folder, ignore=shutil.ignore_patterns("__pycache__"))
    modules = peers_folder() / "node_modules"
    if modules.is_dir():
        (folder / "node_modules").symlink_to(modules)


class Places:
    """The folders of a run, as rows name them."""

    def __init__(self, folder: Path, ca: Path) -> None:
        self._folder = folder
        self._shared = {
            "python": sys.executable,
            "programs": str(folder / "programs"),
            "peers": str(peers_folder()),
            "ca": str(ca),
        }
        copy_programs(folder / "programs")

    def of(self, client: Client) -> dict[str, str]:
        """What is put for the placeholders of a client's row."""
        own = self._folder / re.sub(r"\W+", "-", client.name)
        for name in ("build", "home"):
            (own / name).mkdir(parents=True, exist_ok=True)
        return {
            **self._shared,
            "its_python": its_python(client),
            "build": str(own / "build"),
            "home": str(own / "home"),
        }


def user_environment() -> dict[str, str]:
    """The environment of this process, with the programs beside its Python on the path."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def find(client: Client, places: Mapping[str, str]) -> Found:
    """Ask for its version, and prepare its program; whatever fails says why the client is absent."""
    done = _ran(client, client.version, places, _VERSION_SECONDS)
    if isinstance(done, str):
        return Found(absent=done)
    printed = f"{done.stdout}\n{done.stderr}"
    version = _VERSION.search(printed) or _NUMBER.search(printed)  # not the 2 of Wget2
    return Found(version[0] if version else "unknown")


def prepare(client: Client, places: Mapping[str, str]) -> str:
    """Build what its row says has to be built; "" or why that failed."""
    for words in client.prepare:
        done = _ran(client, words, places, _PREPARE_SECONDS)
        if isinstance(done, str):
            return done
    return ""


def _ran(
    client: Client, words: tuple[str, ...], places: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str] | str:
    argv = filled_words(words, places)
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=environment(client, places, user_environment()),
            check=False,
        )
    except FileNotFoundError:
        return f"{argv[0]} is not installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{argv[0]}: {error}"
    if done.returncode:
        return last_words(f"{done.stdout}\n{done.stderr}") or f"{argv[0]}: exit {done.returncode}"
    return done


class Program:
    """The program while it runs, in a session of its own; what it prints goes to a file."""

    def __init__(self, client: Client, places: Mapping[str, str], base: str) -> None:
        home = places["home"]
        self._log = Path(home).parent / "log"
        told = {
            "DETOUR_LAB": base,
            "DETOUR_LAB_CLIENT": client.name,
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "TMPDIR": home,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                filled_words(client.command, places),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=places["programs"],
                env={**environment(client, places, user_environment()), **told},
                start_new_session=True,
            )

    def ended(self, within: float) -> bool:
        """Wait that long at most; whether it has ended of itself."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return self._process.returncode is not None

    def end(self) -> None:
        """End it, and whatever it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the group this program was given at its start
        self._process.wait()

    @property
    def said(self) -> str:
        """Exit status and the end of what it printed, in one line."""
        status = self._process.returncode
        how = f"ended by signal {-status}" if status and status < 0 else f"exit {status}"
        words = last_words(self._log.read_text(errors="replace"))
        return f"{how}: {words}" if words else how


def last_words(text: str) -> str:
    """The end of what was printed, in one line."""
    return " ".join(text.split())[-_LAST_WORDS:]
