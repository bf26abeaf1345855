"""`python -m bench.serve.early`: content answered early, counted over many requests.

Three counts: POSTs of 4 MiB that arrive whole at the target of the redirect (all should), octets of content
that `curl -H 'Expect: 100-continue'` sends to the redirecting server (none), and answers to a request that
offers `Upgrade: h2c` and has another request for content (one).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.examples.cases import write_content
from tests.examples.early_content import (
    EARLY,
    RECIPE,
    SENDERS,
    UPGRADE,
    answers_to_an_upgrade_whose_content_is_a_request,
    client_named,
    octets_sent_to_the_redirecting_server,
    whole_posts,
)
from tests.examples.staging import Stage, staged

from bench.machine import this_machine

BATCH = 10  # requests of one run of a client


def _posts(stage: Stage, count: int) -> bool:
    fine = True
    for number, (name, case, how) in enumerate(SENDERS):
        client = client_named(name)
        if reason := client.absent():
            print(f"| {name}, {how} | absent: {reason} | |")
            continue
        verdicts: Counter[str] = Counter()
        for start in range(0, count, BATCH):
            verdicts.update(whole_posts(stage, client, case, min(BATCH, count - start), f"{number}-{start}"))
        others = ", ".join(f"{seen} {word}" for word, seen in verdicts.items() if word != "kept")
        what = f"{stage.scheme}: {name} {client.version()}, {how}"
        print(f"| {what} | {verdicts['kept']} of {count} whole | {others} |", flush=True)
        fine &= verdicts["kept"] == count
    return fine


def _expectations(stage: Stage, count: int) -> bool:
    file = write_content(EARLY, stage.folder)
    detour = stage.detours[RECIPE.name]
    options = ("-H", "Expect: 100-continue")
    sent = [octets_sent_to_the_redirecting_server(detour, file, *options) for _ in range(count)]
    silent = sent.count(0)
    print(f"| curl, Expect: 100-continue | {silent} of {count} sent no content | most: {max(sent)} octets |")
    return silent == count


def _upgrades(stage: Stage) -> bool:
    detour = stage.detours[RECIPE.name]
    answers = Counter(
        answers_to_an_upgrade_whose_content_is_a_request(detour, split) for split in range(len(UPGRADE))
    )
    seen = ", ".join(f"{times} times {number}" for number, times in sorted(answers.items()))
    print(f"| Upgrade: h2c around a request, split at every octet | answers: {seen} | |")
    return set(answers) == {1}


def main() -> int:
    """Count and print; 1 when a count is not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.serve.early", description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="requests of each kind (default 50)")
    count = parser.parse_args().count
    print(f"{this_machine()}\n\n| what | seen | otherwise |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="detour-early-") as folder:
        with staged(Path(folder), recipes=[RECIPE]) as stage:
            outcomes = [_posts(stage, count), _expectations(stage, count), _upgrades(stage)]
        with staged(Path(folder), recipes=[RECIPE], scheme="https") as stage:
            outcomes.append(_posts(stage, count))
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
