"""What nginx writes into a Location: text with variables, as native template text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from detour.core.rule import ParameterCapture
from detour.core.url import encode_octets
from detour.errors import TemplateError

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*)|(\d))", re.ASCII)


class Text(msgspec.Struct, frozen=True):
    """Template text, and the parameters it takes from the query."""

    template: str
    parameters: tuple[ParameterCapture, ...] = ()


def variables(text: str) -> list[str]:
    """The names of the variables in a text, in order."""
    return [found[1] or found[2] or found[3] for found in _VARIABLE.finditer(text)]


def has_variables(text: str) -> bool:
    return _VARIABLE.search(text) is not None


def fixed(text: str) -> str:
    """Text without variables, in native template syntax."""
    return encode_octets(text).replace("{", "{{").replace("}", "}}")


def filled(text: str, known: Mapping[str, str]) -> Text:
    """`text` with what `known` says for its variables; raises `TemplateError` for another one."""
    made, position = "", 0
    parameters: dict[str, ParameterCapture] = {}
    for found in _VARIABLE.finditer(text):
        made += fixed(text[position : found.start()])
        position = found.end()
        name = found[1] or found[2] or found[3]
        if name.startswith("arg_") and name not in known:
            parameters[name] = ParameterCapture(name[4:], None, name)
            made += f"{{{name}}}"
            continue
        if name not in known:
            raise TemplateError(
                f"`${name}` is known to nginx alone", "write the text itself, or a variable of the request"
            )
        made += known[name]
    return Text(made + fixed(text[position:]), tuple(parameters.values()))


def replaced(text: str, name: str, value: str) -> str:
    """`text` with a variable's value in its place."""
    before = text
    for written in re.findall(rf"\$\{{{name}\}}|\${name}\b", text):
        before = before.replace(written, value, 1)
    return before
