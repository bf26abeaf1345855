"""Scrapy: a crawl of all cases, each a request of one spider; its redirect middleware follows.

Cookies are kept apart for each case; connections are not, for one crawl has one pool.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.http import FormRequest, Response
from scrapy.spidermiddlewares.httperror import HttpError

from lab import Case, Lab, Unsupported, said_of

SETTINGS = {
    "LOG_LEVEL": "ERROR",
    "RETRY_ENABLED": False,  # three attempts of five seconds are more than a case has
    "TELNETCONSOLE_ENABLED": False,  # it listens
}


class CaseSpider(Spider):
    """Asks for a case, requests it, tells what came back, asks for the next."""

    name = "cases"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> CaseSpider:
        """Listens for requests that the scheduler takes for duplicates and drops."""
        spider: CaseSpider = super().from_crawler(crawler, *args, **kwargs)
        spider.lab = Lab()
        crawler.signals.connect(spider.dropped, signal=signals.request_dropped)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """The first case."""
        for request in self.next():
            yield request

    def next(self) -> list[Request]:
        """The next case that can be requested; none at the end."""
        while (case := self.lab.next()) is not None:
            try:
                return [self._request(case, 1)]
            except Exception as error:
                self.lab.tell(case, said_of(error))
        return []

    def parse(self, response: Response) -> list[Request]:
        """An answer that the spider is given."""
        case, time = response.meta["case"], response.meta["time"]
        if time < case.times:
            return [self._request(case, time + 1)]
        self.lab.tell(case, {"status": response.status, "url": response.url})
        return self.next()

    def failed(self, failure: Any) -> list[Request]:
        """Statuses that are not 2xx, which are given to nobody unless asked for, and what went wrong."""
        if failure.check(HttpError):
            return self.parse(failure.value.response)
        self.lab.tell(failure.request.meta["case"], said_of(failure.value))
        return self.next()

    def dropped(self, request: Request) -> None:
        """A redirect to where the crawl has been already is not followed, and nobody is called."""
        self.lab.tell(request.meta["case"], {"error": "dropped: the scheduler takes it for a duplicate"})
        for following in self.next():
            self.crawler.engine.crawl(following)

    def _request(self, case: Case, time: int) -> Request:
        if case.api != "http":
            raise Unsupported(f"has no {case.api}")
        told: dict[str, Any] = {
            "method": case.method,
            "headers": _fields(case),
            "meta": {
                "case": case,
                "time": time,
                "cookiejar": case.token,
                "download_timeout": case.timeout,
            },
            "dont_filter": case.times > 1,  # asking again is meant
            "errback": self.failed,
        }
        if case.kind == "form" and case.method != "POST":
            raise Unsupported(f"puts the fields of a {case.method} into the URL")
        match case.kind:
            case "none":
                return Request(case.url, **told)
            case "form":
                return FormRequest(case.url, formdata=case.pairs, **told)
            case "empty" | "json" | "large":
                return Request(case.url, body=case.octets(), **told)
        raise Unsupported(f"knows no content of kind {case.kind}")


def _fields(case: Case) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in case.fields if case.kind == "form" else case.typed():
        fields.setdefault(name, []).append(value)
    return fields


process = CrawlerProcess(SETTINGS)
process.crawl(CaseSpider)
process.start()
