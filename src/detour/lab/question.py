"""What a matrix asks: cases that are one question to a person, a column each."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

STATUSES = (301, 302, 303, 307, 308)
_MEMORY = "none|empty|form|json|large"  # the kinds that any client can send again


class Question(msgspec.Struct, frozen=True):
    """One column: the verdicts of one axis on all cases whose id is like `cases`."""

    group: str
    name: str
    asks: str
    cases: str  # a regular expression, of the whole id
    axis: Literal["request", "credentials"] = "request"
    short: str = ""  # where six letters must do

    @property
    def key(self) -> str:
        """Its name among all."""
        return f"{self.group} {self.name}"

    def is_about(self, case: str) -> bool:
        """Whether the case is part of it."""
        return re.fullmatch(self.cases, case) is not None


def _credentials(name: str, field: str, cases: str) -> Question:
    return Question(
        *("secrets", name, f"{field} at another origin"),
        rf"credentials/.*/{cases}/(?!same).*",
        axis="credentials",
    )


# The groups, in the order of their columns.
GROUPS: dict[str, str] = {
    "POST": "POST of content in memory, by status",
    "PUT": "PUT of content in memory, by status",
    "methods": "other methods, all statuses",
    "content": "content of this kind, 307 and 308",
    "early": "307, 308 before the content was read",
    "else": "other questions",
    "secrets": "what goes to another origin",
}

QUESTIONS: tuple[Question, ...] = (
    *(
        Question(
            method,
            str(status),
            f"{status} answers a {method} of content in memory",
            rf"same/{status}/{method}/({_MEMORY})",
        )
        for method in ("POST", "PUT")
        for status in STATUSES
    ),
    *(
        Question(
            *("methods", method, f"{method}, any of the five", rf"same/.*/{method}/({_MEMORY})"), short=short
        )
        for method, short in (
            *(("GET", ""), ("HEAD", ""), ("PATCH", ""), ("DELETE", "")),
            *(("OPTIONS", "OPTS"), ("QUERY", "")),
        )
    ),
    *(
        Question(*("content", kind, f"307 and 308 answer {words}", rf"same/30[78]/.*/{kind}"), short=short)
        for kind, words, short in (
            ("multipart", "a multipart form with a file", "parts"),
            ("file", "an open file", ""),
            ("stream", "a stream or generator", ""),
            ("chunked", "chunked content", "chunks"),
            ("expect", "content with Expect: 100-continue", ""),
        )
    ),
    *(
        Question(
            *("early", name, f"a redirect before the content was read, and {words}"),
            rf"early/.*/(64-kib|4-mib|expect)/{name}",  # a stream is asked above
        )
        for name, words in (
            ("close", "the connection is closed at once"),
            ("linger", "the connection is closed when the content has come"),
            ("keep", "the connection is kept"),
        )
    ),
    Question("else", "origin", "to another port, host or scheme", r"origin/.*"),
    Question("else", "location", "how the Location is written", r"location/.*", short="place"),
    Question("else", "chain", "several redirects, limits and loops", r"chain/.*"),
    Question("else", "no 3xx", "an answer that is no redirect", r"status/.*"),
    Question("else", "cache", "a redirect that may be remembered, or not", r"cache/.*"),
    _credentials("auth", "Authorization", "authorization"),
    _credentials("cookie", "Cookie", "(doubled-|set-)?cookie"),
    _credentials("proxy", "Proxy-Authorization", "proxy-authorization"),
    _credentials("key", "X-Api-Key", "(doubled-)?x-api-key"),
)
BY_KEY: dict[str, Question] = {question.key: question for question in QUESTIONS}
