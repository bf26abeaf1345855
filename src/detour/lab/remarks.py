"""What stands behind a verdict: written by hand, told wherever a cell is like its row."""

from __future__ import annotations

import re

import msgspec

from detour.lab.result import Cell

ANY: tuple[str, ...] = ()


class Remark(msgspec.Struct, frozen=True):
    """Why cells of `clients` (none: any) and cases like `cases` have one of `verdicts` in any run."""

    clients: tuple[str, ...]
    cases: str  # a regular expression, of the whole id
    verdicts: frozenset[str]
    words: str
    source: str = ""

    def fits(self, client: str, cell: Cell) -> bool:
        """Whether it is about this cell."""
        pairs = ((cell.request, cell.credentials), *((one.request, one.credentials) for one in cell.varying))
        seen = {verdict for pair in pairs for verdict in pair}
        named = not self.clients or client in self.clients
        return named and bool(seen & self.verdicts) and re.fullmatch(self.cases, cell.case) is not None

    def __str__(self) -> str:
        return f"{self.words} ({self.source})" if self.source else self.words


_LOST, _REFUSED = frozenset({"lost"}), frozenset({"refused"})
_UNSETTLED = frozenset({"refused", "hung"})

REMARKS: tuple[Remark, ...] = (
    Remark(
        *(ANY, r"early/.*/(64-kib|4-mib|expect)/close", _UNSETTLED),
        "The origin closes with content unread. Whether the client reads the redirect before the reset, or "
        "fails to write first, is a race; a server avoids it by a lingering close",
        "RFC 9112 §9.6",
    ),
    Remark(
        *(("curl",), r"same/30[123]/(PUT|PATCH|DELETE|QUERY)/.*", frozenset({"lost", "misrewritten"})),
        "With -X the method is kept and the content of -d is not; -L changes POST only. `--follow`, of curl "
        "8.16 and later, does what the status says",
        "curl/curl#2007, curl/curl#8327",
    ),
    Remark(
        *(("java.net.http",), r".*/30[123]/.*/expect(/.*)?", frozenset({"hung"})),
        "The request is rewritten to GET without content, and the client waits for 100 Continue to send it",
    ),
    Remark(
        *(("symfony/http-client",), r"early/.*/4-mib-stream/.*", _REFUSED),
        "Whether the stream can be rewound depends on whether any of it was read before the redirect came",
    ),
    Remark(
        *(("httpclient",), r".*/303/.*/multipart(/.*)?", frozenset({"misrewritten"})),
        "The form is written again on the GET, and its file has been read: whether an error about that comes "
        "before the head is sent, varies",
    ),
    Remark(
        *(("got",), r".*/multipart(/.*)?", frozenset({"crashed"})),
        "The form is a stream that has been closed when the redirect comes; an error that nobody can catch "
        "ends the program",
    ),
    Remark(
        ("httpie", "superagent", "faraday", "httparty", "LWP::UserAgent-all"),
        r".*/(multipart|file|stream|chunked)(/.*)?",
        frozenset({"hung"}),
        "The content has been read to its end when the redirect comes: the next request announces it again, "
        "nothing follows, and client and server wait for each other",
    ),
    Remark(
        *(("php-streams",), r"caller/307/GET/upgrade", frozenset({"hung"})),
        "A Connection field of the caller's replaces `close`, and the stream is read until the server closes",
    ),
    Remark(
        *(("curl", "php-curl", "typhoeus"), r".*/30[123]/.*/chunked(/.*)?", frozenset({"hung"})),
        "A field of the caller's goes with every request: on 301, 302 and 303 libcurl drops the content and "
        "leaves `Transfer-Encoding: chunked`; the next request announces chunks that never come",
        "RFC 9112 §6.3",
    ),
    Remark(
        *(ANY, r"early/.*/expect/silence", frozenset({"hung"})),
        "The origin reads and never sends 100 Continue, as an older one may; the client waits for it without "
        "end, where it should go on after a while",
        "RFC 9110 §10.1.1",
    ),
    Remark(
        *(ANY, r"location/.*/ftp", frozenset({"overfollowed"})),
        "The Location is of scheme ftp, and the client goes there: whoever can write a Location makes it "
        "speak another protocol, to any port",
        "Fetch §4.4",
    ),
    Remark(
        *(("requests",), r"same/30[123]/.*", _LOST),
        "On 301 the method stays and the content is dropped: `resolve_redirects` purges it for all but 307 "
        "and 308",
        "psf/requests, sessions.py",
    ),
    Remark(
        *(("requests",), r".*/(stream|file|chunked)(/.*)?", _LOST),
        "A generator has been read when the redirect comes; it is sent again, empty, with success reported. "
        "Give bytes, or an open file",
    ),
    Remark(
        *(("urllib3",), r".*/(stream|file)(/.*)?", _LOST),
        "`PoolManager.urlopen` sends a file or generator again without rewinding it: the second request is "
        "empty",
        "urllib3/urllib3#5181",
    ),
    Remark(
        *(("httpx",), r".*/file(/.*)?", frozenset({"lost", "refused"})),
        "An open file has been read to its end when the redirect comes: the second request announces its "
        "length, sends nothing and ends in LocalProtocolError. Give bytes, or open the file again",
    ),
    Remark(
        *(("httpx", "aiohttp"), r".*/stream(/.*)?", _REFUSED),
        "A generator cannot be read twice, and the client says so",
    ),
    Remark(
        *(("urllib.request",), r".*", _REFUSED),
        "HTTPRedirectHandler follows 307 and 308 for GET and HEAD only, 301 to 303 for POST besides; for all "
        "others HTTPError is raised. Follow by hand",
        "cpython, Lib/urllib/request.py",
    ),
    Remark(
        *(("Node fetch", "undici"), r".*/multipart(/.*)?", frozenset({"altered"})),
        "FormData is written again with a new boundary while Content-Type keeps the old one: the target "
        "cannot read the form",
        "nodejs/undici#4065",
    ),
    Remark(
        *(("HttpURLConnection",), r".*/308/.*", _REFUSED),
        "HttpURLConnection does not know 308: the answer is handed back",
    ),
    Remark(
        ("firefox-fetch", "firefox-xhr", "pyreqwest"),
        r"credentials/.*authorization/stays-away",
        frozenset({"leaked"}),
        "Authorization is dropped at the border, and is there again after the next redirect within the other "
        "origin: each is held against the request before it, with the fields of the first",
        "Fetch §4.4, step 13",
    ),
    Remark(
        *(ANY, r"credentials/.*x-api-key/.*", frozenset({"forwarded"})),
        "No library knows which fields of its caller are secret",
        "RFC 9110 §15.4, step 2",
    ),
)


def remarks(client: str, cell: Cell) -> tuple[str, ...]:
    """What is known of a cell."""
    return tuple(str(one) for one in REMARKS if one.fits(client, cell))
