"""Clients for Ruby."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_NO_QUERY = {"QUERY": "knows no method QUERY"}
_NO_EXPECT = {"expect": "does not wait for 100"}
_NO_CHUNKS = {"chunked": "sends what it has in memory with its length"}


def _program(
    name: str,
    follows: str,
    file: str,
    *,
    version: Words,
    install: Words = (),
    cannot: Mapping[str, str] = {},
    waits: bool = False,
) -> Client:
    """A file of Ruby, beside lab.rb."""
    return Client(
        name=name,
        language="Ruby",
        follows=follows,
        version=version,
        command=("ruby", f"{{programs}}/ruby/{file}.rb"),
        install=Install(debian=("ruby", *install)),
        cannot={"websocket": "has no WebSocket", **cannot},
        waits=waits,
    )


def _constant(name: str, *libraries: str) -> Words:
    required = (f"-r{library}" for library in libraries)
    return ("ruby", *required, "-e", f"puts {name}")


_RUBY = _constant("RUBY_VERSION")

CLIENTS = (
    _program("Net::HTTP", "it never does: what is answered is handed back", "net_http", version=_RUBY),
    _program(
        *("open-uri", "as it does of itself", "open_uri"),
        version=_RUBY,
        cannot=dict.fromkeys(
            ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"), "sends GET only"
        ),
    ),
    _program(
        *("faraday", "FaradayMiddleware::FollowRedirects", "faraday"),
        waits=True,
        version=_constant("Faraday::VERSION", "faraday", "faraday_middleware"),
        install=("ruby-faraday", "ruby-faraday-middleware"),
        cannot=_NO_QUERY,
    ),
    _program(
        *("httparty", "as it does of itself", "httparty"),
        waits=True,
        version=_constant("HTTParty::VERSION", "httparty"),
        install=("ruby-httparty",),
        cannot={**_NO_QUERY, **_NO_EXPECT},
    ),
    _program(
        *("rest-client", "as it does of itself", "rest_client"),
        version=_constant("RestClient::VERSION", "rest-client"),
        install=("ruby-rest-client",),
        cannot={
            **_NO_QUERY,
            **_NO_EXPECT,
            "stream": "asks a stream how long it is",
            **_NO_CHUNKS,
        },
    ),
    _program(
        *("http.rb", "HTTP.follow", "http_rb"),
        version=_constant("HTTP::VERSION", "http"),
        install=("ruby-http",),
        cannot={**_NO_QUERY, **_NO_EXPECT},
    ),
    _program(
        *("httpclient", "follow_redirect: true", "httpclient"),
        version=_constant("HTTPClient::VERSION", "httpclient"),
        install=("ruby-httpclient",),
        cannot={**_NO_EXPECT, **_NO_CHUNKS},
    ),
    _program(
        *("excon", "Excon::Middleware::RedirectFollower", "excon"),
        version=_constant("Excon::VERSION", "excon"),
        install=("ruby-excon",),
        cannot={
            **_NO_EXPECT,
            "multipart": "makes no forms",
            **_NO_CHUNKS,
        },
    ),
    _program(
        *("typhoeus", "followlocation: true", "typhoeus"),
        waits=True,
        version=_constant("Typhoeus::VERSION", "typhoeus"),
        install=("ruby-typhoeus",),
        cannot={"file": "takes what is in memory only", "stream": "takes what is in memory only"},
    ),
)
