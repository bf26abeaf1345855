"""Flags of `detour trace` alone: the request, and the looks at it."""

from __future__ import annotations

from typing import Annotated

import typer

URL = Annotated[
    str, typer.Argument(metavar="URL", help="Where to begin; - reads it from stdin.", show_default=False)
]
Method = Annotated[
    str, typer.Option("-X", "--request", metavar="METHOD", help="The method. [default: GET, with -d POST]")
]
Data = Annotated[
    str | None, typer.Option("-d", "--data", metavar="DATA", help="Content: text, @FILE, or @- for stdin.")
]
Header = Annotated[
    list[str], typer.Option("-H", "--header", metavar="FIELD", help="'Name: value'; repeatable.")
]
Cookie = Annotated[
    list[str], typer.Option("-b", "--cookie", metavar="NAME=VALUE", help="A cookie; repeatable.")
]
User = Annotated[str, typer.Option("-u", "--user", metavar="USER:PASSWORD", help="Basic authentication.")]
Methods = Annotated[str, typer.Option(metavar="all|LIST", help="Ask with each method; one hop.")]
Preflight = Annotated[str, typer.Option(metavar="ORIGIN", help="What a browser asks for a page of ORIGIN.")]
Expect = Annotated[bool, typer.Option("--expect", help="With Expect: 100-continue; needs --send.")]
ProbeOpen = Annotated[bool, typer.Option("--probe-open", help="Try to choose Location's origin; GET only.")]
HAR = Annotated[str, typer.Option(metavar="FILE", help="Explain a browser's recording; sends nothing.")]
Curl = Annotated[bool, typer.Option("--curl", help="Commands that reproduce each hop.")]
JSON = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Format = Annotated[str, typer.Option(metavar="NAME", help="text, json, sarif, junit, markdown, html.")]
