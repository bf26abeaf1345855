"""The judge: every verdict is reached, honest clients are never blamed, and every liar is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detour.lab.case import Answer, Arrival, Case, Origin, Outcome, Record
from detour.lab.cases import BY_ID, CASES
from detour.lab.contents import octets
from detour.lab.form import FORMS
from detour.lab.judge import judge
from detour.lab.verdict import CREDENTIALS, NOTES, REQUEST, VERDICTS, Difference, Judgement
from tests.lab.simulated import ORIGINS, TOKEN, Honest, Request

BOLD = {verdict.name for verdict in VERDICTS.values() if verdict.bold}
HONEST: dict[str, Callable[[Case], Honest]] = {
    "that never changes POST": partial(Honest, post_to_get=False),
    "that changes POST to GET": Honest,
    "that cannot read a stream twice": partial(Honest, replays=False),
}


def judged(client: Honest) -> Judgement:
    return judge(client.case, client.record())


def names(judgement: Judgement) -> set[str]:
    return {note.name for note in judgement.notes}


@pytest.mark.parametrize("make", HONEST.values(), ids=HONEST)
def test_an_honest_library_is_never_blamed(make: Callable[[Case], Honest]) -> None:
    for case in CASES:
        if "library" in case.runs_in:
            judgement = judged(make(case))
            assert not judgement.bold, (case.id, judgement)
            assert judgement.request in case.expected.allowed, (case.id, judgement)


def test_an_honest_browser_is_never_blamed() -> None:
    for case in CASES:
        if "browser" in case.runs_in:
            judgement = judged(Honest(case, browser=True, replays=False))
            assert not judgement.bold, (case.id, judgement)
            assert judgement.request in case.expected.allowed, (case.id, judgement)


def test_an_honest_client_that_goes_as_far_as_it_may_arrives_wherever_that_is_allowed() -> None:
    """All the grid is followed to its end, so that kept and rewritten are not given away."""
    for case in CASES:
        if case.group in ("same", "origin", "early", "answer", "cache"):
            best = case.expected.allowed[0]
            never_changes = Honest(case, post_to_get=best == "rewritten")
            assert judged(never_changes).request == best, case.id


def test_a_client_that_follows_nothing_refuses_everything() -> None:
    class Deaf(Honest):
        def follows(self, answer: Answer) -> bool:
            return False

    for case in CASES:
        if not case.preflight:
            judgement = judged(Deaf(case))
            assert judgement.request == "refused", (case.id, judgement)
            assert judgement.credentials in ("none sent", "kept within")


# The liars: an honest client with one thing changed, the case that shows it, and what it must be called.


class DropsContent(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, content=b"")


class CutsContent(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, content=request.content[:-1])


class ReadsOn(Honest):
    """The stream goes on where the first request was broken off."""

    def changed(self, request: Request, number: int) -> Request:
        return replace(request, content=request.content[len(request.content) // 2 :])


class DoublesContent(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, content=request.content * 2)


class ChangesOneOctet(Honest):
    def changed(self, request: Request, number: int) -> Request:
        content = bytearray(request.content)
        content[len(content) // 2] ^= 1
        return replace(request, content=bytes(content))


class DropsContentType(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, fields=tuple(field for field in request.fields if field[0] != "Content-Type"))


class SendsTwice(Honest):
    def send(self, request: Request, number: int) -> Answer:
        if number == 1:
            super().send(request, number)
        return super().send(request, number)


class LowersMethod(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, method=request.method.lower())


class BecomesGet(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, method="GET", content=b"", fields=())


class BecomesGetWithContent(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, method="GET", content=octets(self.case.asked.content))


class BecomesPost(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, method="POST")


class KeepsMethod(Honest):
    def method(self, method: str, status: int) -> str:
        return method


class ComesBack(Honest):
    """On the last of several redirects the first method and its content are there again."""

    def changed(self, request: Request, number: int) -> Request:
        first = self.world.arrivals[0]
        return replace(request, method=first.method, content=first.content) if number == 2 else request


class FollowsAnything(Honest):
    limit = 99

    def follows(self, answer: Answer) -> bool:
        return bool(answer.locations)


class InventsALocation(Honest):
    def follows(self, answer: Answer) -> bool:
        return answer.status == 308

    def next(self, request: Request, answer: Answer) -> Request:
        return replace(request, url=f"{ORIGINS['a']}/{TOKEN}/1/here")


class GoesElsewhere(Honest):
    def changed(self, request: Request, number: int) -> Request:
        return replace(request, url=request.url.replace("127.0.0.1:8001", "127.0.0.2:8003"))


class Says(Honest):
    """Sends what it may, or nothing after the first request, and says what it was told to say."""

    def __init__(self, case: Case, outcome: Outcome, follow: bool = False) -> None:
        super().__init__(case)
        self.said, self.follow = outcome, follow

    def follows(self, answer: Answer) -> bool:
        return self.follow and super().follows(answer)

    def record(self) -> Record:
        return msgspec.structs.replace(super().record(), outcome=self.said)


class BreaksOff(Honest):
    """Half of the content, and then success all the same."""

    def send(self, request: Request, number: int) -> Answer:
        return self.world.send(request, complete=number == 0)


class LeaksOn(Honest):
    """Sends the credentials of the first request again with one of the later ones."""

    def __init__(self, case: Case, number: int) -> None:
        super().__init__(case)
        self.number = number

    def changed(self, request: Request, number: int) -> Request:
        given = tuple(field for field in self.case.asked.fields if field not in request.fields)
        return replace(request, fields=(*request.fields, *given)) if number == self.number else request


HUNG, CRASHED = Outcome("hung"), Outcome("crashed", error="signal 11")
SUCCESS, ERROR = Outcome("answered", 200), Outcome("error", error="connection reset")
AT_FILE = Outcome("answered", 200, url="file:///t0123456789abcde/1/here")

LIARS: list[tuple[Callable[[Case], Honest], str, str]] = [
    (DropsContent, "same/307/POST/json", "lost"),
    (DropsContent, "same/308/PUT/large", "lost"),
    (DropsContent, "same/301/PUT/json", "lost"),  # curl -X PUT -d -L
    (DropsContent, "same/307/GET/json", "lost"),
    (CutsContent, "same/307/PUT/file", "lost"),
    (ReadsOn, "early/307/POST/4-mib-stream/close", "lost"),  # requests
    (BreaksOff, "same/307/POST/file", "lost"),
    (partial(Says, outcome=SUCCESS), "same/307/POST/json", "lost"),
    (partial(Says, outcome=SUCCESS), "same/303/POST/json", "lost"),
    (partial(Says, outcome=SUCCESS), "status/300/POST/location", "lost"),
    (DoublesContent, "same/307/POST/json", "altered"),
    (DoublesContent, "same/308/PUT/large", "altered"),
    (ChangesOneOctet, "same/307/POST/large", "altered"),
    (DropsContentType, "same/307/POST/json", "altered"),
    (SendsTwice, "same/307/POST/json", "altered"),
    (SendsTwice, "same/307/GET/none", "altered"),
    (LowersMethod, "same/307/PATCH/json", "misrewritten"),
    (LowersMethod, "same/307/GET/none", "misrewritten"),
    (BecomesGet, "same/307/POST/json", "misrewritten"),
    (BecomesGet, "same/302/PUT/none", "misrewritten"),
    (BecomesGet, "same/302/HEAD/none", "misrewritten"),
    (BecomesGetWithContent, "same/303/POST/json", "misrewritten"),  # HTTP::Tiny
    (BecomesPost, "same/307/PUT/json", "misrewritten"),
    (KeepsMethod, "same/303/PUT/json", "misrewritten"),  # HttpURLConnection
    (ComesBack, "chain/303-307/POST/json", "misrewritten"),
    (FollowsAnything, "status/300/POST/location", "overfollowed"),
    (FollowsAnything, "status/305/GET/location", "overfollowed"),
    (FollowsAnything, "status/201/POST/location", "overfollowed"),
    (FollowsAnything, "chain/self/POST/json", "overfollowed"),
    (partial(FollowsAnything, browser=True), "chain/307x21/POST/json/fetch", "overfollowed"),
    (InventsALocation, "status/308/POST/resume", "overfollowed"),
    (GoesElsewhere, "same/307/POST/json", "overfollowed"),
    (Honest, "caller/307/PUT/preflight", "overfollowed"),
    (partial(Says, outcome=AT_FILE), "location/307/POST/file", "overfollowed"),
    (partial(Says, outcome=HUNG), "same/307/POST/json", "hung"),
    (partial(Says, outcome=CRASHED, follow=True), "same/307/POST/json", "crashed"),
    (partial(Says, outcome=Outcome("unsupported", error="no QUERY")), "same/307/QUERY/json", "unsupported"),
]


@pytest.mark.parametrize(("make", "case", "verdict"), LIARS)
def test_each_liar_gets_its_own_verdict(make: Callable[[Case], Honest], case: str, verdict: str) -> None:
    judgement = judged(make(BY_ID[case]))
    assert judgement.request == verdict, judgement
    assert judgement.why


LEAKS = [
    (1, "credentials/307/GET/authorization/other-port", "leaked"),
    (1, "credentials/307/GET/authorization/http-to-https", "leaked"),
    (1, "credentials/307/POST/authorization/other-host", "leaked"),
    (1, "credentials/307/GET/proxy-authorization/https-to-http", "leaked"),
    (2, "credentials/307/GET/authorization/third-hop", "leaked"),
    (2, "credentials/307/GET/authorization/stays-away", "leaked"),
    (2, "credentials/307/GET/authorization/bounce", "dropped"),  # home again, they may come back
    (1, "credentials/307/GET/cookie/other-host", "leaked"),
    (1, "credentials/307/GET/cookie/other-port", "kept within"),  # cookies know no port
    (1, "credentials/307/GET/doubled-cookie/other-host", "leaked"),
    (1, "credentials/307/GET/x-api-key/other-host", "forwarded"),
    (1, "credentials/307/GET/x-api-key/same", "kept within"),
    (1, "credentials/307/GET/authorization/same", "kept within"),
    (9, "credentials/307/GET/authorization/other-host", "dropped"),
    (9, "credentials/307/GET/set-cookie/other-host", "none sent"),
    (9, "credentials/307/GET/set-cookie/same", "kept within"),
    (9, "same/307/GET/none", "none sent"),
]


@pytest.mark.parametrize(("number", "case", "verdict"), LEAKS)
def test_credentials_that_go_further_than_they_may_are_seen(number: int, case: str, verdict: str) -> None:
    judgement = judged(LeaksOn(BY_ID[case], number))
    assert judgement.credentials == verdict, judgement
    assert judgement.request == "kept"


def test_a_jar_that_knows_no_host_leaks() -> None:
    class OneJar(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, fields=(*request.fields, ("Cookie", "jar=detour-jar-7")))

    assert judged(OneJar(BY_ID["credentials/307/GET/set-cookie/other-host"])).credentials == "leaked"


def test_only_the_second_of_two_cookies_is_enough_to_leak() -> None:
    class DropsTheFirst(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, fields=(*request.fields, self.case.asked.fields[1]))

    judgement = judged(DropsTheFirst(BY_ID["credentials/307/GET/doubled-cookie/other-host"]))
    assert judgement.credentials == "leaked"
    assert "Cookie" in judgement.credentials_why


def test_credentials_dropped_at_home_are_noted() -> None:
    class DropsCookie(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, fields=())

    judgement = judged(DropsCookie(BY_ID["credentials/307/GET/cookie/same"]))  # requests, httpx
    assert judgement.credentials == "dropped"
    assert "dropped-within-origin" in names(judgement)


def test_every_verdict_is_reached() -> None:
    reached = {judged(make(BY_ID[case])).request for make, case, _ in LIARS}
    reached |= {judged(LeaksOn(BY_ID[case], number)).credentials for number, case, _ in LEAKS}
    reached |= {judged(Honest(BY_ID[case])).request for case in ("same/307/PUT/json", "same/303/PUT/json")}
    reached |= {judged(Honest(BY_ID["same/307/POST/stream"], replays=False)).request}
    assert reached == set(VERDICTS)


def test_the_bold_ones_are_those_of_the_design() -> None:
    assert {"misrewritten", "lost", "altered", "overfollowed", "hung", "crashed", "leaked"} == BOLD
    assert [verdict.name for verdict in VERDICTS.values() if not verdict.counted] == ["unsupported"]


def test_head_that_becomes_get_at_303_is_rewritten_and_nowhere_else() -> None:
    assert judged(BecomesGet(BY_ID["same/303/HEAD/none"])).request == "rewritten"
    for status in (301, 302, 307, 308):
        assert judged(BecomesGet(BY_ID[f"same/{status}/HEAD/none"])).request == "misrewritten"


def test_what_302_kept_307_must_keep() -> None:
    class ChangesLater(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, method="GET", content=b"", fields=()) if number == 2 else request

    case = BY_ID["chain/302-307/POST/json"]
    assert judged(ChangesLater(case, post_to_get=False)).request == "misrewritten"
    assert judged(Honest(case, post_to_get=False)).request == "kept"
    assert judged(Honest(case)).request == "rewritten"


# What is handed over by the client's own encoder, and what the connection does to requests.


def arrival(
    case: Case, station: int, content: bytes, media_type: str, complete: bool = True, origin: Origin = "a"
) -> Arrival:
    target = f"/{TOKEN}/{station}/{'here' if station else 'start'}"
    fields = (("Content-Type", media_type),) if media_type else ()
    return Arrival(station, origin, case.asked.method, target, fields, content, complete, b"")


def record(*arrivals: Arrival, outcome: Outcome = SUCCESS) -> Record:
    return Record(arrivals, outcome, ORIGINS, TOKEN)


def test_multipart_that_is_encoded_again_with_another_boundary_is_kept() -> None:
    case = BY_ID["same/307/POST/multipart"]
    content = octets(case.asked.content)
    one = arrival(case, 0, content, "multipart/form-data; boundary=detour-lab-boundary")
    again = content.replace(b"detour-lab-boundary", b"another")
    other = arrival(case, 1, again, 'multipart/form-data; boundary="another"')
    judgement = judge(case, record(one, other))
    assert (judgement.request, names(judgement)) == ("kept", {"new-boundary"})
    cut = arrival(case, 1, again[:300], "multipart/form-data; boundary=another")
    assert judge(case, record(one, cut)).request == "lost"


def test_a_form_and_json_may_be_written_by_the_clients_own_encoder() -> None:
    form = BY_ID["same/307/POST/form"]
    written = b"name=Zo%c3%ab&note=two%20words&sign=a%3db%26c%2bd&empty="
    requests = (arrival(form, station, written, "application/x-www-form-urlencoded") for station in (0, 1))
    assert judge(form, record(*requests)).request == "kept"
    json = BY_ID["same/307/POST/json"]
    compact = b'{"order":7,"name":"Zo\\u00eb","note":"two words"}'
    requests = (arrival(json, station, compact, "application/json") for station in (0, 1))
    assert judge(json, record(*requests)).request == "kept"


def test_a_first_request_that_is_not_the_one_asked_for_is_no_verdict() -> None:
    case = BY_ID["same/307/DELETE/json"]
    for first in (
        arrival(case, 0, b"", "application/json"),
        arrival(case, 0, b'{"order": 8}', "application/json"),
        msgspec.structs.replace(
            arrival(case, 0, octets(case.asked.content), "application/json"), method="POST"
        ),
        arrival(case, 1, octets(case.asked.content), "application/json"),
    ):
        assert judge(case, record(first)).request == "unsupported"


def test_an_error_before_anything_was_sent_says_nothing_about_redirects() -> None:
    case = BY_ID["same/307/GET/json"]
    assert judge(case, record(outcome=Outcome("error", error="TypeError"))).request == "unsupported"
    assert judge(case, record(outcome=SUCCESS)).request == "lost"


def test_a_second_request_that_was_broken_off_is_refused_if_the_client_says_so() -> None:
    """httpx and a file: the second hop has a head, and then nothing."""
    case = BY_ID["same/307/POST/file"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    requests = arrival(case, 0, content, media_type), arrival(case, 1, b"", media_type, complete=False)
    judgement = judge(case, record(*requests, outcome=ERROR))
    assert (judgement.request, names(judgement)) == ("refused", {"broken-off"})
    assert judge(case, record(*requests, outcome=SUCCESS)).request == "lost"


def test_what_a_lost_connection_made_a_client_send_again_is_no_second_request() -> None:
    case = BY_ID["early/307/POST/4-mib/close"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    begun = arrival(case, 0, content[:1000], media_type, complete=False)
    judgement = judge(case, record(begun, begun, arrival(case, 1, content, media_type)))
    assert (judgement.request, names(judgement)) == ("kept", {"retried"})


def test_an_expectation_that_was_refused_needs_no_content() -> None:
    case = BY_ID["early/307/POST/expect/linger"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    nothing = arrival(case, 0, b"", media_type, complete=False)
    assert judge(case, record(nothing, arrival(case, 1, content, media_type))).request == "kept"
    assert judge(case, record(nothing, arrival(case, 1, b"", media_type))).request == "lost"


def test_an_error_that_only_the_clients_own_limit_of_time_brought_is_no_honest_one() -> None:
    """curl with a chunked PUT and 301: the second request promises content that never comes."""
    case = BY_ID["same/301/PUT/chunked"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    requests = arrival(case, 0, content, media_type), arrival(case, 1, b"", media_type, complete=False)
    for seconds, verdict in ((0.2, "refused"), (5.01, "hung")):
        outcome = Outcome("error", error="timed out", seconds=seconds)
        assert judge(case, record(*requests, outcome=outcome)).request == verdict


@pytest.mark.parametrize(
    "url", ["//127.0.0.2:8003/x", "/\\127.0.0.2:8003/x", "http://127.0.0.1/x", "HTTP://x", ""]
)
def test_where_a_client_says_it_ended_is_another_scheme_only_if_it_names_one(url: str) -> None:
    case = BY_ID["same/307/GET/none"]
    said = Says(case, Outcome("answered", 200, url=url), follow=True)
    assert judged(said).request == "kept"


def test_a_redirect_handed_back_with_its_location_as_url_was_not_followed() -> None:
    """urllib.request: the error has the Location for its URL."""
    case = BY_ID["location/307/POST/file"]
    assert judged(Says(case, Outcome("answered", 307, url="file:///x"))).request == "refused"


def test_the_same_place_again_where_nothing_may_follow_is_overfollowed() -> None:
    case = BY_ID["location/302/GET/missing"]
    again = arrival(case, 0, b"", "")
    judgement = judge(case, record(again, again, outcome=Outcome("answered", 302)))
    assert judgement.request == "overfollowed"


def test_after_a_lost_connection_only_an_idempotent_request_may_be_sent_again_whole() -> None:
    """RFC 9110 §9.2.2."""
    for id, verdict in (("early/308/PUT/4-mib/close", "kept"), ("early/307/POST/4-mib/close", "altered")):
        case = BY_ID[id]
        whole = [
            arrival(case, at, octets(case.asked.content), "application/octet-stream") for at in (0, 0, 1)
        ]
        assert judge(case, record(*whole)).request == verdict


def test_a_second_request_that_was_never_sent_is_no_verdict() -> None:
    case = BY_ID["cache/307/GET/nothing"]
    once = arrival(case, 0, b"", ""), arrival(case, 1, b"", "")
    assert judge(case, record(*once)).request == "unsupported"


def preflight(case: Case, station: int) -> Arrival:
    fields = (("Origin", ORIGINS["a"]), ("Access-Control-Request-Method", case.asked.method))
    asks = arrival(case, station, b"", "", origin=case.asked.origin)
    return msgspec.structs.replace(asks, method="OPTIONS", fields=fields)


def test_a_preflight_is_not_the_request_and_may_not_follow_a_redirect() -> None:
    case = BY_ID["caller/307/PUT/preflight"]
    assert judge(case, record(preflight(case, 0), outcome=ERROR)).request == "refused"
    followed = preflight(case, 0), preflight(case, 1)
    assert judge(case, record(*followed, outcome=ERROR)).request == "overfollowed"
    plain = BY_ID["same/307/PUT/json"]
    sent = [arrival(plain, station, octets(plain.asked.content), "application/json") for station in (0, 1)]
    mixed = preflight(plain, 0), sent[0], preflight(plain, 1), sent[1]
    assert judge(plain, record(*mixed)).request == "kept"


def test_a_safe_request_that_is_sent_once_more_is_a_note_and_an_unsafe_one_is_altered() -> None:
    case = BY_ID["location/302/GET/doubled-different"]
    twice = [arrival(case, 0, b"", "")] * 2
    judgement = judge(case, record(*twice, outcome=ERROR))
    assert (judgement.request, [one.name for one in judgement.notes]) == ("refused", ["asked-again"])
    case = BY_ID["location/307/POST/doubled-different"]
    twice = [arrival(case, 0, octets(case.asked.content), "application/json")] * 2
    assert judge(case, record(*twice, outcome=ERROR)).request == "altered"


def test_who_goes_to_another_scheme_has_gone_too_far() -> None:
    case = BY_ID["location/302/GET/ftp"]
    first = arrival(case, 0, b"", "")
    gone = msgspec.structs.replace(first, origin="f", station=1, method="CWD", target=f"/{TOKEN}/1")
    assert judge(case, record(first, gone, outcome=ERROR)).request == "overfollowed"


def test_a_request_that_was_broken_off_has_leaked_all_the_same() -> None:
    case = BY_ID["credentials/307/GET/authorization/other-host"]
    first = msgspec.structs.replace(arrival(case, 0, b"", ""), fields=case.asked.fields)
    clean = arrival(case, 1, b"", "", origin="b")
    begun = msgspec.structs.replace(clean, fields=case.asked.fields, complete=False)
    judgement = judge(case, record(first, begun, clean))
    assert (judgement.request, judgement.credentials) == ("kept", "leaked")


def test_a_referer_that_leaves_https_is_noted() -> None:
    class Refers(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, fields=(*request.fields, ("Referer", self.world.arrivals[-1].target)))

    assert "referer-downgrade" in names(judged(Refers(BY_ID["origin/307/POST/json/https-to-http"])))
    assert "referer-downgrade" not in names(judged(Refers(BY_ID["origin/307/POST/json/http-to-https"])))


def test_the_content_type_of_no_content_does_not_matter() -> None:
    case = BY_ID["same/307/DELETE/none"]
    kept = arrival(case, 0, b"", "text/plain"), arrival(case, 1, b"", "")
    assert judge(case, record(*kept)).request == "kept"


def test_a_get_that_promises_content_is_no_bare_one() -> None:
    """curl with a chunked POST and 303."""
    case = BY_ID["same/303/POST/chunked"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    promise = msgspec.structs.replace(arrival(case, 1, b"", media_type, complete=False), method="GET")
    judgement = judge(case, record(arrival(case, 0, content, media_type), promise, outcome=ERROR))
    assert judgement.request == "misrewritten"
    assert "promise" in judgement.why


def test_an_expectation_may_be_ended_without_content() -> None:
    case = BY_ID["early/307/POST/expect/keep"]
    content, media_type = octets(case.asked.content), "application/octet-stream"
    assert (
        judge(case, record(arrival(case, 0, b"", media_type), arrival(case, 1, content, media_type))).request
        == "kept"
    )


def test_multipart_without_its_file_is_not_what_was_asked() -> None:
    case = BY_ID["same/307/POST/multipart"]
    field = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\ntwo words\r\n--x--\r\n'
    assert (
        judge(case, record(arrival(case, 0, field, "multipart/form-data; boundary=x"))).request
        == "unsupported"
    )


def test_who_comes_home_without_credentials_has_not_dropped_them_there() -> None:
    judgement = judged(Honest(BY_ID["credentials/307/GET/authorization/bounce"]))
    assert judgement.credentials == "dropped"
    assert "dropped-within-origin" not in names(judgement)


def test_fields_left_on_a_get_are_noted() -> None:
    class LeavesFields(Honest):
        def changed(self, request: Request, number: int) -> Request:
            return replace(request, fields=(("Content-Type", "application/json"), ("Content-Length", "0")))

    judgement = judged(LeavesFields(BY_ID["same/303/POST/json"]))
    assert judgement.request == "rewritten"
    assert ("content-fields-left", "Content-Type, Content-Length") in {
        (note.name, note.detail) for note in judgement.notes
    }


def test_an_error_after_everything_arrived_is_noted() -> None:
    judgement = judged(Says(BY_ID["same/307/POST/json"], ERROR, follow=True))
    assert (judgement.request, names(judgement)) == ("kept", {"error-after-arrival"})


def test_credentials_taken_from_a_location_are_noted() -> None:
    class Trusts(Honest):
        def next(self, request: Request, answer: Answer) -> Request:
            fields = (*request.fields, ("Authorization", "Basic dXNlcjpzZWNyZXQ="))
            return replace(request, url=f"{ORIGINS['b']}/{TOKEN}/1/here", fields=fields)

    judgement = judged(Trusts(BY_ID["location/307/POST/userinfo-other-host"]))  # aiohttp
    assert (judgement.request, judgement.credentials) == ("kept", "none sent")
    assert "own-credentials" in names(judgement)


def test_a_remembered_redirect_is_kept_where_it_may_be_and_overfollowed_where_it_may_not() -> None:
    class Remembers(Honest):
        def outcome(self) -> Outcome:
            if not self.world.arrivals:
                return super().outcome()
            last = self.world.arrivals[-1]
            answer = self.world.send(
                Request(last.method, ORIGINS["a"] + last.target, last.fields, last.content)
            )
            return Outcome("answered", answer.status)

    for case in (case for case in CASES if case.group == "cache"):
        may = len(case.expected.routes) == 3
        judgement = judged(Remembers(case))
        assert judgement.request == ("kept" if may else "overfollowed"), case.id
        assert "remembered" in names(judgement)


def test_the_evidence_says_where_content_first_differed() -> None:
    judgement = judged(ChangesOneOctet(BY_ID["same/307/POST/large"]))
    first, second = judgement.evidence
    assert (first.form, first.difference, second.form) == ("first", None, "changed")
    content = octets(BY_ID["same/307/POST/large"].asked.content)
    half = len(content) // 2
    before, after = (
        content[half - 12 : half].decode("latin-1"),
        content[half + 1 : half + 12].decode("latin-1"),
    )
    expected, arrived = f"{before}{content[half]:c}{after}", f"{before}{content[half] ^ 1:c}{after}"
    assert second.difference == Difference(half, expected, arrived, len(content), len(content))
    lost = judged(DropsContent(BY_ID["same/307/POST/json"])).evidence[1]
    assert lost.difference == Difference(0, '{"order": 7,', "", 49, 0)
    assert lost.place == f"{ORIGINS['a']}/{TOKEN}/1/here"


def test_a_judgement_is_data() -> None:
    for make, case, _ in LIARS:
        judgement = judged(make(BY_ID[case]))
        assert msgspec.json.decode(msgspec.json.encode(judgement), type=Judgement) == judgement


# Totality: whatever is recorded, there is one verdict on each axis.

TARGETS = st.sampled_from([f"/{TOKEN}/0/start", f"/{TOKEN}/1/here", f"/{TOKEN}/2/here", "/\\x", "", "%zz"])
VALUES = st.one_of(
    st.sampled_from(
        ["multipart/form-data; boundary=x", "Bearer detour-token-7", "session=detour-cookie-7", "seen=1"]
    ),
    st.text(max_size=8),
)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Cookie", "Authorization", "Origin", "X-Api-Key", "Referer"]), VALUES
    )
)
METHODS = st.sampled_from(["GET", "POST", "post", "PUT", "HEAD", "OPTIONS", "QUERY", ""])
CONTENTS = st.one_of(
    st.just(b""), st.binary(max_size=9), st.sampled_from([octets(BY_ID["same/307/PUT/json"].asked.content)])
)
ARRIVALS = st.builds(
    Arrival,
    st.integers(-1, 70),
    st.sampled_from(list(ORIGINS)),
    METHODS,
    TARGETS,
    FIELDS.map(tuple),
    CONTENTS,
    st.booleans(),
    st.just(b""),
)
OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(["answered", "error", "unsupported", "hung", "crashed"]),
    st.sampled_from([0, 200, 201, 204, 300, 302, 307, 404, 500, 999, -1]),
    st.text(max_size=5),
    st.sampled_from(["", "http://127.0.0.1:8001/x", "file:///x", ":", "data:,x"]),
)
RECORDS = st.builds(
    Record, st.lists(ARRIVALS, max_size=5).map(tuple), OUTCOMES, st.just(ORIGINS), st.just(TOKEN)
)
ON_REQUEST, ON_CREDENTIALS = ({verdict.name for verdict in axis} for axis in (REQUEST, CREDENTIALS))


@given(st.sampled_from([case for case in CASES if case.asked.content.length < 200]), RECORDS)
def test_every_record_has_one_verdict_on_each_axis(case: Case, record: Record) -> None:
    judgement = judge(case, record)
    assert judgement.request in ON_REQUEST
    assert judgement.credentials in ON_CREDENTIALS
    assert judgement.why
    assert {note.name for note in judgement.notes} <= set(NOTES)
    assert {sent.form for sent in judgement.evidence} <= {"first", *FORMS}
    assert judge(case, record) == judgement


@given(st.sampled_from(CASES), OUTCOMES)
def test_nothing_arrived_is_never_taken_for_success(case: Case, outcome: Outcome) -> None:
    judgement = judge(case, Record((), outcome, ORIGINS, TOKEN))
    assert judgement.request not in ("kept", "rewritten")
    if outcome.kind == "answered" and 200 <= outcome.status < 300:
        assert judgement.request in ("lost", "overfollowed")
