"""gixy-ng and gixy-next beside `detour audit`, on the same nginx files: what each finds at a seeded fault.

    python -m tests.audit.beside_gixy GIXY-NG GIXY-NEXT     (the programs; each in an environment of its own)

A fault counts as found by gixy where the mutant has an issue more than its twin: it is not asked for a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from detour.audit.checks import check_layers
from detour.audit.finding import at_least
from detour.load import load_layer
from tests.audit.mutator import mutants


def gixy(program: str, file: Path) -> list[str]:
    """The plugins that found something."""
    done = subprocess.run([program, "-f", "json", str(file)], capture_output=True, text=True, check=False)
    try:
        return sorted(str(issue.get("plugin")) for issue in json.loads(done.stdout))
    except ValueError:
        return [f"unreadable, exit {done.returncode}"]


def detour(file: Path) -> list[str]:
    """The checks that found something above a note."""
    layers = (load_layer(file, dialect="nginx"),)
    return sorted(one.check for one in at_least("warning", check_layers(layers, time.time())))


def _tell(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def main(programs: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "nginx.conf")
        ours = {"detour": detour} | {one: lambda path, one=one: gixy(one, path) for one in programs}
        before: dict[str, list[str]] = {}
        for mutant in (one for one in mutants() if one.twin.dialect == "nginx"):
            if not before:
                file.write_text(mutant.twin.text)
                before = {name: ask(file) for name, ask in ours.items()}
                _tell("the twin:", before)
            file.write_text(mutant.text)
            more = {name: len(ask(file)) - len(before[name]) for name, ask in ours.items()}
            _tell(f"{mutant.check:26}", *(f"{Path(name).name} {number:+}" for name, number in more.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
