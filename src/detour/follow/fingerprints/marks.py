"""How rows of the tables say what must be seen."""

from __future__ import annotations

from detour.follow.fingerprint import Mark


def field(name: str, value: str) -> Mark:
    """A field whose value matches."""
    return Mark("field", value, name)


def no_field(name: str) -> Mark:
    """No such field."""
    return Mark("no-field", field=name)


def status(value: str) -> Mark:
    """A status that matches."""
    return Mark("status", value)


def content(value: str) -> Mark:
    """Content that matches as a whole."""
    return Mark("content", value)


def change(value: str) -> Mark:
    """What Location changes."""
    return Mark("change", value)


def order(value: str) -> Mark:
    """The names of all fields in lower case, one blank between them, in the order received."""
    return Mark("order", value)


def cased(name: str) -> Mark:
    """A field name in exactly this case; HTTP/2 knows none."""
    return Mark("field-case", name)


EMPTY = field("Content-Length", "0")
NO_CONTENT = content("")
ABSOLUTE = field("Location", "https?://.+")
RELATIVE = field("Location", "/([^/].*)?")
HTML_UTF8 = field("Content-Type", "text/html; charset=utf-8")
HTML = field("Content-Type", "text/html")
REASONS = "(Moved Permanently|Found|See Other|Temporary Redirect|Permanent Redirect)"
