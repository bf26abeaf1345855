"""slash-only: a redirect that adds or removes one slash at the end of the path."""

from __future__ import annotations

from collections.abc import Iterator

from detour.audit.finding import Check, Finding
from detour.audit.hops import found, redirects
from detour.core.chain import Chain
from detour.core.url import URL


def over_chain(chain: Chain) -> Iterator[Finding]:
    for redirect in redirects(chain):
        before, after = redirect.request.url, redirect.location_url
        if not _differs_by_slash(before, after):
            continue
        if redirect.request.content == "none":
            message = f"{before.path} is redirected to {after.path}: only a slash differs"
            yield found(CHECK, chain, redirect.hop, message, severity="note")
        else:
            message = (
                f"{before.path} is redirected to {after.path}, and the content is sent twice for a slash"
            )
            yield found(CHECK, chain, redirect.hop, message)


def _differs_by_slash(before: URL, after: URL) -> bool:
    if (before.hostname, before.query) != (after.hostname, after.query):
        return False
    return after.path == f"{before.path}/" or before.path == f"{after.path}/"


CHECK = Check(
    name="slash-only",
    severity="warning",
    finds="Only a slash at the end of the path differs; a note where no content is sent twice for it.",
    why=(
        "Frameworks and web servers answer for a slash on their own: FastAPI with 307, Go with 301 or "
        "since 1.26 307, Flask with 308, Django and nginx with 301, which turns POST into GET. The upload"
        " goes out twice or is lost."
    ),
    instead=(
        "Call the spelling that the server serves, or serve both: FastAPI(redirect_slashes=False) with "
        "both routes, strict_slashes=False in Flask, both patterns in Go, an exact `location = /x` in "
        "nginx."
    ),
    references=("Kludex/starlette#2748", "golang/go#77741", "modelcontextprotocol/python-sdk#732"),
    over_chain=over_chain,
)
