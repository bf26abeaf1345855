"""What is live, written down as a contract that holds now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from detour.core.chain import Chain, Fields
from detour.core.policy import FETCH
from detour.core.url import URL
from detour.follow.claim import Claim

_BARE_KEY = re.compile("[A-Za-z0-9_-]+")


def recorded(claim: Claim, chain: Chain, default: Fields = (), found: Iterable[str] = ()) -> str:
    """One `[[request]]` of what came; a comment where no answer came.

    `default` fields are left unsaid; the checks in `found` would fail it and are allowed from now on.
    """
    if chain.hops[0].response is None or chain.end.name not in ("arrived", "not-followed"):
        why = f"{chain.end.name}: {chain.end.detail}"
        return f"# not recorded: {_comment(claim.name)}: {_comment(why)}\n"
    lines = ("[[request]]", *_request(claim, default), *_answer(claim, chain), *_allowed(claim, found))
    return "\n".join(lines) + "\n"


def _request(claim: Claim, default: Fields) -> Iterator[str]:
    request = claim.request
    if request.method != "GET":
        yield f"method = {text(request.method)}"
    yield f"url = {text(str(request.url))}"
    fields = [field for field in request.fields if field not in default]
    if fields:
        yield f"headers = {{ {', '.join(f'{_key(name)} = {text(value)}' for name, value in fields)} }}"
    if claim.content is not None:
        yield f"content = {text(claim.content.decode('utf-8', 'replace'))}"
    if claim.policy.name != FETCH.name:
        yield f"policy = {text(claim.policy.name)}"


def _answer(claim: Claim, chain: Chain) -> Iterator[str]:
    hops = chain.hops
    first = hops[0].response
    assert first is not None
    yield f"status = {first.status}"
    redirects = [hop.location_url for hop in hops if hop.location_url]
    if redirects:
        yield f"location = {text(_short(redirects[0], hops[0].request.url))}"
    last = hops[-1]
    if chain.end.name != "arrived" or len(hops) == 1 or last.response is None:
        return
    if len(redirects) > 1:
        yield f"chain = [{', '.join(text(str(url)) for url in redirects)}]"
    yield f"end = {text(_short(last.request.url, hops[0].request.url))}"
    if last.response.status >= 400 or last.response.status != 200:
        yield f"end_status = {last.response.status}"


def _allowed(claim: Claim, found: Iterable[str]) -> Iterator[str]:
    names = sorted({*claim.allow, *found})
    if names:
        yield f"allow = [{', '.join(map(text, names))}]  # found when this was recorded"


def text(value: str) -> str:
    """A TOML basic string (TOML 1.0): JSON's escapes are among its own; DEL is escaped, too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _short(url: URL, base: URL) -> str:
    """A URL as people write it: without scheme and authority where those do not change."""
    return url.reference if url.origin == base.origin and not url.reference.startswith("//") else str(url)


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else text(name)


def _comment(words: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in words)
