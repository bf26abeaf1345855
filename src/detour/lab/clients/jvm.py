"""Clients for Java, each compiled once a run. Debian keeps the libraries in /usr/share/java."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

_JARS = "/usr/share/java"
_SOURCES = "{programs}/java"
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the time until the first case is asked

_NO_WEBSOCKET = {"websocket": "has no WebSocket"}
_NO_FORMS = {"multipart": "makes no forms"}


def _program(
    name: str,
    follows: str,
    main: str,
    *,
    version: Words = ("javac", "-version"),
    install: Words = (),
    jars: Words = (),
    words: Words = (),
    cannot: Mapping[str, str] = {},
) -> Client:
    """A class with a `main`, beside Lab.java; the version of a library is its package's."""
    path = ":".join(("{build}", *(f"{_JARS}/{jar}.jar" for jar in jars)))
    sources = (f"{_SOURCES}/{part}.java" for part in ("Lab", "Json", main))
    return Client(
        name=name,
        language="Java",
        follows=follows,
        version=version,
        command=("java", *_QUICK, "-cp", path, main, *words),
        install=Install(debian=("openjdk-17-jdk-headless", *install)),
        prepare=(("javac", "-d", "{build}", "-cp", path, *sources),),
        cannot=cannot,
    )


def _package(name: str) -> Words:
    return ("dpkg-query", "-W", "-f", "${Version}", name)


def _apache_4(name: str, follows: str, *words: str) -> Client:
    return _program(
        *(name, follows, "ApacheHttpClient4"),
        version=_package("libhttpclient-java"),
        install=("libhttpclient-java", "libhttpmime-java"),
        jars=("httpclient", "httpcore", "httpmime", "commons-logging", "commons-codec"),
        words=words,
        cannot=_NO_WEBSOCKET,
    )


CLIENTS = (
    _program("java.net.http", "Redirect.NORMAL", "JavaNetHttp", cannot=_NO_FORMS),
    _program(
        *("HttpURLConnection", "as it does of itself", "UrlConnection"),
        cannot={
            **_NO_WEBSOCKET,
            **_NO_FORMS,
            "PATCH": "knows no method PATCH",
            "QUERY": "knows no method QUERY",
        },
    ),
    _program(
        *("OkHttp", "as it does of itself", "OkHttp"),
        version=_package("libokhttp-java"),
        install=("libokhttp-java",),
        jars=("okhttp", "okio"),
    ),
    _apache_4("apache-httpclient-4", "as it does of itself: GET and HEAD"),
    _apache_4("apache-httpclient-4-lax", "LaxRedirectStrategy", "lax"),
    _program(
        *("apache-httpclient-5", "as it does of itself", "ApacheHttpClient5"),
        version=_package("libhttpclient5-java"),
        install=("libhttpclient5-java", "libslf4j-java"),
        jars=("httpclient5", "httpcore5", "httpcore5-h2", "slf4j-api", "slf4j-nop", "commons-codec"),
        cannot=_NO_WEBSOCKET,
    ),
)
