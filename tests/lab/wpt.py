"""The redirect facts of web-platform-tests, put to browsers by the lab's page.

    python -m tests.lab.wpt [BROWSER …]

A fact becomes a case of the lab: what it asks for, the redirect it says, and where that may lead. What came
of it is compared with what the fact expects, and with the verdict on the lab's own cell for the same
question. Texts, blobs and arrays are the lab's own; their length and type are compared, not their words.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import filter as matching

import msgspec

from detour.lab.case import NEXT, START, Answer, Asked, Case, Content, Expected, Route, Stop, station_path
from detour.lab.cases import BY_ID
from detour.lab.cases.allowed import METHODS, clause
from detour.lab.cases.chain import FETCH_LIMIT
from detour.lab.cases.location import self_loop
from detour.lab.clients import CLIENTS
from detour.lab.contents import CONTENTS, octets
from detour.lab.result import ClientResult
from detour.lab.run import Manner, Run, Told
from detour.lab.trial import Trial
from tests.core.published import Case as Fact
from tests.core.published import lines

FACTS = lines("wpt-redirect-cases/cases.jsonl")
BROWSERS = ("chromium", "firefox", "webkit")

LEFT_OUT = {
    "cors": "who may read an answer, whether a preflight comes, what Origin says: the lab grants everything",
    "redirect-mode": "redirect mode `manual` or `error`: nothing is to be followed",
    "no-cors": "asked without CORS: the page asks with it",
    "name": "a host that does not exist: the lab asks no resolver",
    "make-redirect": "`Response.redirect`: a response that a page makes, no request",
}


def left_out(fact: Fact) -> str | None:
    """The key of LEFT_OUT for which a fact is not put to a browser."""
    kind = fact["kind"]
    if kind in ("origin-header", "preflight", "cors-chain") or "CORS" in fact["expect"].get("why", ""):
        return "cors"
    if kind == "make-redirect":
        return kind
    if fact.get("mode") in ("manual", "error"):
        return "redirect-mode"
    if fact.get("cors") == "no-cors":
        return "no-cors"
    if kind == "scheme" and fact["location"].startswith("http:"):
        return "name"
    return None


ASKED = tuple(fact for fact in FACTS if left_out(fact) is None)
COUNTS = Counter(left_out(fact) or "asked" for fact in FACTS)


def means(fact: Fact) -> str:
    """By which means its test asks."""
    return "xhr" if fact["source"].startswith("xhr/") else "fetch"


# A fact as a case.


def case_of(fact: Fact) -> Case:
    """The lab's case that asks what the fact's test asks."""
    return Case(
        id=f"wpt/{fact['id']}",
        title=f"{fact['source']}, {fact['id']}",
        group="wpt",
        clause=fact["source"],
        asked=_asked(fact),
        script=_script(fact),
        expected=_expected(fact),
    )


def _asked(fact: Fact) -> Asked:
    written = dict(fact.get("request_headers", {}))
    media_type = fact.get("content_type")
    if media_type not in (None, "<none>"):
        written["Content-Type"] = media_type
    return Asked(fact.get("method", "GET"), content_of(fact), fields=tuple(written.items()))


def content_of(fact: Fact) -> Content:
    """The lab's content of the same make; its type goes unsaid, so that the browser's own shows."""
    body = fact.get("body")
    kind = "none" if body is None else "large" if "Uint8Array" in body else "json"
    if body is not None and "blob" in body.lower():
        kind = "file"
    return msgspec.structs.replace(CONTENTS[kind], media_type="", length=_length(kind))  # type: ignore[index]


def _length(kind: str) -> int:
    return {"large": 3, "file": 32}.get(kind, CONTENTS[kind].length)  # type: ignore[index]


def _location(fact: Fact) -> tuple[str, ...]:
    location = fact.get("location")
    if location is None:
        return ()
    if fact["kind"] == "final-url" or location == "top.txt":
        return (f"1/{location}",)  # the station stands before it
    return (location,)


def _script(fact: Fact) -> tuple[Answer, ...]:
    status, kind = fact["status"], fact["kind"]
    if kind == "loop":
        return (Answer(status, ("{here}",)),)
    if kind in ("location", "scheme", "final-url"):
        return (Answer(status, _location(fact)),)
    return (Answer(status, (f"{_place(fact)}{NEXT}",)),) * _redirects(fact)


def _place(fact: Fact) -> str:
    other = fact["kind"] == "method-cross-origin" or fact.get("origin", "same-origin") != "same-origin"
    return "{b}" if other else "{a}"


def _redirects(fact: Fact) -> int:
    return int(fact.get("redirects", fact.get("hops", 1)))


def _expected(fact: Fact) -> Expected:
    """The judge's own reading: RFC 9110 and Fetch, not the fact."""
    kind, status, method = fact["kind"], fact["status"], fact.get("method", "GET")
    if kind == "loop" or fact.get("location") == "":
        return Expected((self_loop(f"{{a}}{START}"),), arrives=False)
    if kind in ("location", "scheme", "final-url"):
        (location,) = _location(fact) or ("",)
        places = (f"{{a}}/{{token}}/0/{location}",) if location.startswith("1/") else ()
        return Expected((tuple(Stop(place, clause(status, "GET").forms) for place in places),))
    forms = clause(status, method if method in METHODS else "PATCH").forms
    route: Route = tuple(
        Stop(f"{_place(fact)}{station_path(at)}", forms) for at in range(1, _redirects(fact) + 1)
    )
    return Expected((route[:FETCH_LIMIT],), arrives=len(route) <= FETCH_LIMIT)


# What a fact expects, and the lab's cell that answers the same question.


def expected_verdict(fact: Fact) -> str:
    """The lab's word for what the fact expects."""
    expect = fact["expect"]
    if "error" in expect or expect.get("followed") is False:
        return "refused"
    method = fact.get("method", "GET")
    return "kept" if expect.get("method", method) == method else "rewritten"


def cell_of(fact: Fact) -> str:
    """The id of the lab's case with the same question; "" where it has none."""
    found = (BY_ID[id] for pattern in _patterns(fact) for id in matching(BY_ID, pattern))
    return next((case.id for case in found if _can_be_asked(case)), "")


def _can_be_asked(case: Case) -> bool:
    kinds = ("stream", "chunked", "expect") if case.asked.method != "GET" else set(CONTENTS) - {"none"}
    return "browser" in case.runs_in and case.asked.content.kind not in kinds


_LOCATIONS = {"": "empty", "top.txt": "relative", "image.gif": "relative"}


def _patterns(fact: Fact) -> Iterator[str]:
    kind, status, method = fact["kind"], fact["status"], fact.get("method", "GET")
    if kind in ("location", "scheme", "final-url"):
        yield f"location/302/GET/{_location_name(fact['location'])}"
    elif kind == "loop":
        yield "chain/self/GET/none"
    elif kind == "count":
        yield "chain/307x20/GET/none" if fact["redirects"] <= FETCH_LIMIT else "chain/307x21/POST/json/fetch"
    elif _place(fact) == "{b}":
        yield f"origin/{status}/{method}/{content_of(fact).kind}/other-host"
        yield f"credentials/{status}/{method}/authorization/other-host"
        yield f"origin/{status}/{_known(method)}/*/other-host"
        yield f"origin/{status}/{_known(method)}/*"
    else:
        yield f"same/{status}/{_known(method)}/{content_of(fact).kind}"


def _known(method: str) -> str:
    """A method of the lab's that browsers treat as they treat one that a test made up."""
    return method if method in METHODS else "PATCH"


def _location_name(location: str | None) -> str:
    if location is None:
        return "missing"
    scheme = location.partition(":")[0]
    return _LOCATIONS.get(location) or (scheme if scheme in ("data", "file") else "ftp")


# What came of it.


def differences(fact: Fact, trial: Trial) -> list[str]:
    """Where what came is not what the fact expects."""
    found = []
    if trial.judgement.request != expected_verdict(fact):
        found.append(f"{trial.judgement.request}, not {expected_verdict(fact)}: {trial.judgement.why}")
    return [*found, *_status_differences(fact, trial), *_request_differences(fact, trial)]


def _status_differences(fact: Fact, trial: Trial) -> Iterator[str]:
    expect, outcome = fact["expect"], trial.outcome
    if "error" in expect and outcome.kind != "error":
        yield f"the browser reports {outcome.status}, not an error"
    if "final_status" in expect and outcome.status != expect["final_status"]:
        yield f"status {outcome.status}, not {expect['final_status']}: {outcome.error}"
    suffix = "/image.gif" if fact["kind"] == "final-url" else expect.get("url_suffix", "")
    if suffix in ("/image.gif", "/top.txt") and not outcome.url.endswith(suffix):
        yield f"{outcome.url} does not end with {suffix}"


def _request_differences(fact: Fact, trial: Trial) -> Iterator[str]:
    """Of the last request that is no preflight, if the fact speaks of it."""
    expect = fact["expect"]
    own = [seen for seen in trial.seen if "access-control-request-method" not in seen.head.lower()]
    if "method" not in expect or not own:
        return
    first, last = (_fields(seen.head) for seen in (own[0], own[-1]))
    if own[-1].head.partition(" ")[0] != expect["method"]:
        yield f"the last request is a {own[-1].head.partition(' ')[0]}"
    if "content_type" in expect and last.get("content-type") != expect["content_type"]:
        yield f"Content-Type is {last.get('content-type')}, not {expect['content_type']}"
    kept = expect.get("body") or expect.get("body_length")
    if "body" in fact and own[-1].length != (len(octets(content_of(fact))) if kept else 0):
        yield f"{own[-1].length} octets arrived"
    for name in {name.lower() for name in fact.get("request_headers", {})}:
        dropped = name in {one.lower() for one in expect.get("dropped_headers", ())}
        if name in first and (name not in last) != dropped:
            yield f"{name} was {'kept' if dropped else 'dropped'}"


def _fields(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in re.split(r"\r?\n", head)[1:])
    return {name.lower(): value.strip() for name, _, value in lines if name}


class Compared(msgspec.Struct, frozen=True):
    """One browser: which facts did not come as expected, and on which the lab's own cell differs."""

    browser: str
    version: str
    asked: int
    different: dict[str, str]  # fact: how
    cells: int  # facts with a cell of the same question
    other_cells: dict[str, str]  # fact: what the cell says


def compare(browser: str, facts: Sequence[Fact] = ASKED) -> Compared | str:
    """Put every fact to one browser, and the lab's own questions with it; why not, if it is absent."""
    version, different, other, cells = "", {}, {}, 0
    for by in ("fetch", "xhr"):
        own = [fact for fact in facts if means(fact) == by]
        found = _run(f"{browser}-{by}", own)
        if found.absent:
            return found.absent
        version, trials = found.version, {cell.case: cell.shown for cell in found.cells}
        for fact in own:
            name, trial, cell = fact["id"], trials[f"wpt/{fact['id']}"], trials.get(cell_of(fact))
            if told := differences(fact, trial):
                different[name] = "; ".join(told)
            if cell and cell.judgement.request != "unsupported":
                cells += 1
                if cell.judgement.request != trial.judgement.request:
                    other[name] = f"{cell.case}: {cell.judgement.request}, here {trial.judgement.request}"
    return Compared(browser, version, len(facts), different, cells, other)


def _run(client: str, facts: Sequence[Fact]) -> ClientResult:
    row = next(one for one in CLIENTS if one.name == client)
    own = dict.fromkeys(filter(None, map(cell_of, facts)))
    cases = [*map(case_of, facts), *(BY_ID[id] for id in own)]
    (found,) = Run([row], cases, Manner(twice=1), Told()).results("test").clients
    return found


def told(browsers: Sequence[str]) -> Iterator[str]:
    """What every browser makes of the facts, line by line."""
    yield f"{len(FACTS)} facts: " + ", ".join(f"{count} {name}" for name, count in COUNTS.items())
    for browser in browsers or BROWSERS:
        found = compare(browser)
        if isinstance(found, str):
            yield f"{browser}: absent: {found}"
            continue
        yield (
            f"{browser} {found.version}: {found.asked - len(found.different)} of {found.asked} as expected; "
            f"{found.cells - len(found.other_cells)} of {found.cells} as the lab's own cell"
        )
        for name, how in [*found.different.items(), *found.other_cells.items()]:
            yield f"  {name}: {how}"


if __name__ == "__main__":
    for line in told(sys.argv[1:]):
        sys.stdout.write(f"{line}\n")
