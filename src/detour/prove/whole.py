"""A configuration that was read, as its program is to be started with it: one text, and files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from posixpath import dirname, isabs, join, normpath, relpath

from detour.errors import Span
from detour.formats.apache.reader import is_htaccess
from detour.formats.layer import Layer

# Where a text stands for another one, by dialect: the path in the second group of a match.
_INCLUDES = {
    "nginx": re.compile(r"(?m)((?:^|(?<=[;{}]))[^\S\n]*)include\s+[\"']?([^;\"']+)[\"']?\s*;"),
    "apache": re.compile(r"(?mi)(^[^\S\n]*)Include(?:Optional)?[^\S\n]+\"?([^\"\s]+)\"?[^\S\n]*$"),
}
_MOST_DEPTH = 20  # of includes
APACHE_ROOT = "empty"  # the folder of Apache's DocumentRoot


def whole(layer: Layer) -> tuple[str, Mapping[str, str]]:
    """The text with what it includes in its place, and the other files by their paths from its folder."""
    entry, *others = layer.texts
    if layer.dialect == "apache" and is_htaccess(entry, layer.texts):
        return "", {f"{APACHE_ROOT}/.htaccess": layer.texts[entry]}
    include = _INCLUDES.get(layer.dialect)
    if include is not None:
        return _filled(layer.texts[entry], entry, layer.texts, include, 0), {}
    paths = {name: relpath(name, dirname(entry) or ".") for name in others}
    beside = {path: layer.texts[name] for name, path in paths.items()}
    return layer.texts[entry], {
        path: text for path, text in beside.items() if not path.startswith("..") and not isabs(path)
    }


def listed(layer: Layer) -> frozenset[Span]:
    """The lines that are listed as not understood."""
    return frozenset(Span(fault.span.file, fault.span.line) for fault in layer.not_understood)


def _filled(text: str, entry: str, texts: Mapping[str, str], include: re.Pattern[str], depth: int) -> str:
    def put(found: re.Match[str]) -> str:
        files = list(_named(found[2].strip(), entry, texts))
        if depth > _MOST_DEPTH or not (files or re.search(r"[*?\[]", found[2])):
            return found[0]  # its program says what is wrong
        return found[1] + "\n".join(_filled(texts[one], entry, texts, include, depth + 1) for one in files)

    return include.sub(put, text)


def _named(written: str, entry: str, texts: Mapping[str, str]) -> Iterator[str]:
    """The files that an include names, in the order of their names."""
    wanted = normpath(join(dirname(entry), written))
    return (name for name in sorted(texts) if name != entry and fnmatch(normpath(name), wanted))
