"""`python -m bench.check.aiohttp_loop LIST AT_ONCE`: what a person writes first; no rules, no reports."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp


async def follow(session: aiohttp.ClientSession, urls: Iterator[str]) -> int:
    """One worker; how many of its URLs ended in 200."""
    arrived = 0
    for url in urls:
        async with session.get(url, max_redirects=20) as answer:
            await answer.read()
            arrived += answer.status == 200
    return arrived


async def main(listed: str, at_once: int) -> int:
    """All of a list, so many at once."""
    urls = iter(Path(listed).read_text().split())
    connector = aiohttp.TCPConnector(limit=at_once, limit_per_host=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:
        return sum(await asyncio.gather(*(follow(session, urls) for _ in range(at_once))))


if __name__ == "__main__":
    print(f"{asyncio.run(main(sys.argv[1], int(sys.argv[2])))} arrived")
