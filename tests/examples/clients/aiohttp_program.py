"""aiohttp, with an open file for content."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from asked import NOTE, answer, fields


def send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    """One request in a session of its own."""
    return asyncio.run(_send(method, url, kind, file))


async def _send(method: str, url: str, kind: str, file: Path) -> tuple[int, str]:
    timeout = aiohttp.ClientTimeout(total=30)
    with file.open("rb") as opened:
        content = {"none": None, "json": file.read_bytes(), "multipart": {"note": NOTE, "file": opened}}
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(
                method, url, headers=fields(kind), data=content.get(kind, opened), allow_redirects=True
            ) as answered,
        ):
            await answered.read()
            return answered.status, str(answered.url)


if __name__ == "__main__":
    answer(send)
