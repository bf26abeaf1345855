"""The redirect statuses, each with the clause that defines it.

Fetch calls exactly these five "redirect status" (https://fetch.spec.whatwg.org/#redirect-status).
300, 304, 305 and 306 are 3xx too, and none of them is a redirect status: a server that sends them
does not make a client go elsewhere. `detour explain`, the documentation and the rule file's
`status` key are all made from this table.
"""

from __future__ import annotations

import msgspec


class RedirectStatus(msgspec.Struct, frozen=True):
    """One redirect status: what it promises, when to use it, what clients make of it."""

    code: int
    phrase: str
    clause: str
    permanent: bool
    keeps_method: bool
    cacheable: bool  # heuristically, without an explicit lifetime: RFC 9110 §15.1
    meaning: str
    use: str
    avoid: str
    clients: str


REDIRECT_STATUSES: dict[int, RedirectStatus] = {
    status.code: status
    for status in (
        RedirectStatus(
            301,
            "Moved Permanently",
            "RFC 9110 §15.4.2",
            permanent=True,
            keeps_method=False,
            cacheable=True,
            meaning="The resource has a new permanent URI; a client may change POST to GET.",
            use="A page moved for good and only GET and HEAD ever ask for it.",
            avoid="Anything is ever POSTed, PUT or DELETEd there: use 308. "
            "Without Cache-Control a browser may keep it for ever.",
            clients="Fetch turns POST into GET and drops the content; other methods stay as they are.",
        ),
        RedirectStatus(
            302,
            "Found",
            "RFC 9110 §15.4.3",
            permanent=False,
            keeps_method=False,
            cacheable=False,
            meaning="The resource is temporarily at another URI; a client may change POST to GET.",
            use="A page is elsewhere for a while and only GET and HEAD ever ask for it.",
            avoid="The method matters: 307 says the same and keeps it.",
            clients="Fetch turns POST into GET and drops the content; other methods stay as they are.",
        ),
        RedirectStatus(
            303,
            "See Other",
            "RFC 9110 §15.4.4",
            permanent=False,
            keeps_method=False,
            cacheable=False,
            meaning="The request was dealt with; look at another URI, with GET, for the outcome.",
            use="After a form was accepted (POST, redirect, GET), and after a login: "
            "the password must not travel on (RFC 9700 §4.12).",
            avoid="The request is still to be carried out at the other URI: use 307.",
            clients="Every method but HEAD becomes GET, and the content is dropped.",
        ),
        RedirectStatus(
            307,
            "Temporary Redirect",
            "RFC 9110 §15.4.8",
            permanent=False,
            keeps_method=True,
            cacheable=False,
            meaning="The resource is temporarily at another URI; the client must use the same method, "
            "and the content goes along.",
            use="An API endpoint moved for a while, a load balancer routes, HTTPS is enforced for now, "
            "a form's action redirects.",
            avoid="The request was already carried out (303), or the move is for good (308).",
            clients="Method and content are kept; a client that cannot send its content again fails, "
            "hands back the 307, or, wrongly, sends nothing.",
        ),
        RedirectStatus(
            308,
            "Permanent Redirect",
            "RFC 9110 §15.4.9",
            permanent=True,
            keeps_method=True,
            cacheable=True,
            meaning="The resource has a new permanent URI; the client must use the same method, "
            "and the content goes along.",
            use="An endpoint, a host or a scheme changed for good and writes must survive.",
            avoid="You may want to take it back: clients keep it. State a `cache` lifetime.",
            clients="As 307, and browsers remember it. A few old ones do not know it "
            "(java.net.HttpURLConnection never follows it).",
        ),
    )
}

# What a `pass` rule may answer with: nothing is redirected (RFC 9110 §15.5.5, §15.5.11; RFC 7725 §3).
PASS_STATUSES: tuple[int, ...] = (404, 410, 451)
