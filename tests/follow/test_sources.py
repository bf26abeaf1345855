"""What a file is, and the claims in it."""

from __future__ import annotations

import gzip
import io
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from detour.core.chain import Chain, End, Hop, Outgoing, Response
from detour.core.policy import POLICIES
from detour.core.url import URL
from detour.errors import DetourError, RuleError
from detour.follow.claim import Claim, Unusable
from detour.follow.record import recorded, text
from detour.follow.sitemap import locs
from detour.follow.sources import Asking, Source, fetched, kind_of, open_sources

SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/x">
  <url><loc> http://a.test/1?x=1&amp;y=2 </loc>
    <image:image><image:loc>http://a.test/picture</image:loc></image:image></url>
  <url>
    <loc>http://a.test/2</loc>
  </url>
</urlset>
"""
RULES = """
[[rule]]
name = "moved"
pattern = "/old/*"
location = "/new/{0}"
[[rule.expect]]
request = "POST https://shop.test/old/7"
location = "/new/7"
[[rule]]
name = "by-host"
pattern = "//api.test/v1"
location = "https://api.test/v2"
[[rule.expect]]
request = "GET http://api.test/v1"
status = 307
[[rule]]
name = "secure"
pattern = "http://only.test/x"
location = "https://only.test/x"
[[rule.expect]]
request = "GET http://only.test/x"
status = 307
client = "192.0.2.7"
"""


def never(url: str) -> bytes:
    raise AssertionError(f"{url} is fetched")


def opened(name: Path | str, **options: object) -> Source:
    (source,) = open_sources([str(name)], Asking(never, 0.0, **options))  # type: ignore[arg-type]
    return source


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def urls(source: Source) -> list[str]:
    return [str(one.request.url) for one in source.entries if isinstance(one, Claim)]


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a", b"https://a.test/\nhttps://b.test/\n", "urls"),
        ("a", b"# https://a.test/, and more\nhttps://a.test/x,y\n", "urls"),
        ("a", b"/old,/new\n", "csv"),
        ("a", b"https://a.test/1,https://b.test/1,307\n", "csv"),
        ("a", b"old,new\n", "csv"),
        ("a.csv", b"x\n", "csv"),
        ("a", b"\xef\xbb\xbf \n<?xml version='1.0'?>", "sitemap"),
        ("a", b'[[request]]\nurl = "/"\n', "contract"),
        ("-", b'# mine\n[defaults]\norigin = "http://a.test"\n', "contract"),
        ("a", b"detour\r\n\x01", "rules"),
        ("a", b"", "urls"),
    ],
)
def test_the_first_octets_say_what_a_file_is(name: str, head: bytes, kind: str) -> None:
    assert kind_of(name, head) == kind


def test_a_list_has_one_url_a_line_and_says_where_one_is_none(tmp_path: Path) -> None:
    path = file(
        tmp_path, "urls.txt", b"\xef\xbb\xbfhttp://a.test/1\r\n\r\n# no\r\nhttp://[\n/x\nhttp://a.test/\xff"
    )
    source = opened(path)
    first, bad, bare, octets = source.entries
    assert isinstance(first, Claim)
    assert (first.name, first.request.method) == ("GET http://a.test/1", "GET")
    assert isinstance(bad, Unusable)
    assert f"{bad.span}: {bad.reason}" == (
        f"{path}:4: 'http://[' is not a URL; write it whole: https://host/path"
    )
    assert isinstance(bare, Unusable)
    assert bare.reason == "'/x' is not a URL; write it whole, or give --origin URL"
    assert isinstance(octets, Unusable)


def test_paths_of_a_list_are_asked_at_the_origin(tmp_path: Path) -> None:
    path = file(tmp_path, "urls.txt", "/1\n2?x\nhttp://b.test/3\n")
    assert urls(opened(path, origin="http://a.test/")) == [
        "http://a.test/1",
        "http://a.test/2?x",
        "http://b.test/3",
    ]


def test_csv_rows_say_where_an_old_url_must_lead(tmp_path: Path) -> None:
    path = file(
        tmp_path, "moves.csv", 'New,Status,Old\n/n,301,"http://a.test/o,1"\n,,http://a.test/2\n/n,9,/x\n'
    )
    moved, without, status = opened(path).entries
    assert isinstance(moved, Claim)
    assert moved.name == "GET http://a.test/o,1 → http://a.test/n"
    assert moved.expected.through == URL.parse("http://a.test/n")
    assert moved.expected.status == (301,)
    assert isinstance(without, Unusable)
    assert "write old,new" in without.reason
    assert isinstance(status, Unusable)
    assert str(status.span) == f"{path}:4"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_sitemap_names_its_pages_and_nothing_else(tmp_path: Path, pack: type[bytes]) -> None:
    source = opened(file(tmp_path, "sitemap", pack(SITEMAP.encode())))
    entries = [*source.entries]
    assert [str(one.request.url) for one in entries if isinstance(one, Claim)] == [
        "http://a.test/1?x=1&y=2", "http://a.test/2",
    ]  # fmt: skip
    assert [one.span.line for one in entries if one.span] == [3, 6]


def test_an_index_leads_to_files_beside_it_and_to_urls(tmp_path: Path) -> None:
    file(tmp_path, "one.xml.gz", gzip.compress(SITEMAP.encode()))
    index = file(
        tmp_path,
        "index.xml",
        "<sitemapindex><sitemap><loc>http://a.test/maps/one.xml.gz</loc></sitemap>"
        "<sitemap><loc>http://a.test/two.xml</loc></sitemap></sitemapindex>",
    )
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"<urlset><url><loc>http://a.test/3</loc></url></urlset>"

    (source,) = open_sources([str(index)], Asking(fetch, 0.0))
    assert urls(source) == ["http://a.test/1?x=1&y=2", "http://a.test/2", "http://a.test/3"]
    assert asked == ["http://a.test/two.xml"]


def test_an_index_that_names_itself_ends() -> None:
    index = b"<sitemapindex><sitemap><loc>http://a.test/i</loc></sitemap></sitemapindex>"
    (source,) = open_sources(["http://a.test/i"], Asking(lambda _url: index, 0.0))
    (last,) = source.entries
    assert isinstance(last, Unusable)
    assert "list sitemaps only" in last.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body/></html>", "line 1: <html> is no sitemap"),
        (b"<urlset><url>", "line 1: not XML: no element found"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><urlset/>', "line 1: declares entities"),
        (gzip.compress(SITEMAP.encode())[:40], "cannot be unpacked"),
    ],
)
def test_what_is_no_sitemap_is_one_line(content: bytes, said: str) -> None:
    packed = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]
    stream = gzip.GzipFile(fileobj=packed) if content.startswith(b"\x1f\x8b") else packed
    with pytest.raises(DetourError) as caught:
        list(locs(stream))  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_sitemap_is_read_in_pieces() -> None:
    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            if self.given == size:
                return b"<urlset>"
            return b"<url><loc>http://a.test/</loc></url>" * (size // 36)

    endless = Endless()
    found = locs(endless)  # type: ignore[arg-type]
    assert sum(1 for _, loc in zip(range(5000), found, strict=False) if loc.kind == "url") == 5000
    assert endless.given < 1_000_000


def test_rule_files_are_asked_at_the_origin_with_what_the_rules_decide_there(tmp_path: Path) -> None:
    source = opened(file(tmp_path, "detours.toml", RULES), origin="http://127.0.0.1:8307/")
    moved, by_host, client = source.entries
    assert isinstance(moved, Claim)
    assert str(moved.request.url) == "http://127.0.0.1:8307/old/7"
    assert moved.expected.location == URL.parse("http://127.0.0.1:8307/new/7")
    assert moved.consent.refusal(moved.request)  # an example of rules is no contract: --send
    assert isinstance(by_host, Claim)
    assert str(by_host.request.url) == "http://api.test/v1"
    assert source.connect_to == ("api.test:80:127.0.0.1:8307",)
    assert isinstance(client, Unusable)
    assert client.skipped


def test_a_rule_file_needs_an_origin(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="add --origin URL"):
        opened(file(tmp_path, "detours.toml", RULES))


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    one = file(tmp_path, "one.toml", "[[request]]\n")
    two = file(tmp_path, "two.toml", '[[request]]\nurl = "x"\n')
    with pytest.raises(RuleError) as caught:
        open_sources([str(one), str(two), str(tmp_path / "absent")], Asking(never, 0.0))
    assert [fault.span.file for fault in caught.value.faults] == [
        str(one),
        str(two),
        str(tmp_path / "absent"),
    ]


def test_only_whole_content_is_taken_for_a_sitemap() -> None:
    request = Outgoing("GET", URL.parse("http://a.test/"))

    def ended(**answer: object) -> Chain:
        return Chain("fetch", (Hop(request, Response(**answer)),), End("arrived"))  # type: ignore[arg-type]

    assert fetched(ended(status=200, content=b"x", content_length=1)) == b"x"
    with pytest.raises(DetourError, match=r"did not come whole \(too long\)"):
        fetched(ended(status=200, content=b"x", content_length=70_000))
    with pytest.raises(DetourError, match="answered with 404"):
        fetched(ended(status=404))


# -- recording


def recording() -> Iterator[tuple[Claim, Chain]]:
    first = Outgoing("POST", URL.parse("http://a.test/1"), (("X-A", 'q"\x7f'),), "replayable")
    second = Outgoing("POST", URL.parse("http://b.test/2"))
    hops = (Hop(first, Response(307), second.url), Hop(second, Response(405)))
    yield Claim("n", first, content=b"a\nb"), Chain("fetch", hops, End("arrived"))


def test_a_record_is_a_contract_of_what_came() -> None:
    ((claim, chain),) = recording()
    assert recorded(claim, chain) == (
        '[[request]]\nmethod = "POST"\nurl = "http://a.test/1"\nheaders = { X-A = "q\\"\\u007f" }\n'
        'content = "a\\nb"\nstatus = 307\nlocation = "http://b.test/2"\nend = "http://b.test/2"\n'
        "end_status = 405\n"
    )


def test_a_record_allows_what_was_found_and_says_whose_eyes_saw_it() -> None:
    ((claim, chain),) = recording()
    claim = msgspec.structs.replace(claim, policy=POLICIES["curl"], allow=frozenset({"slash-only"}))
    (table,) = tomllib.loads(recorded(claim, chain, found=["method-loss"]))["request"]
    assert (table["policy"], table["allow"]) == ("curl", ["method-loss", "slash-only"])


def test_what_gave_no_answer_is_a_comment_on_one_line() -> None:
    request = Outgoing("GET", URL.parse("http://a.test/"))
    chain = Chain("fetch", (Hop(request),), End("connect", "no\nconnection"))
    assert recorded(Claim("GET\r", request), chain) == "# not recorded: GET\\r: connect: no\\nconnection\n"


def test_text_is_a_basic_string_of_toml() -> None:
    assert text('a"\\\x00é') == '"a\\"\\\\\\u0000é"'
