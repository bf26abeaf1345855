"""redirect-loop across layers: told once, at the first rule whose own witness goes round."""

from __future__ import annotations

import pytest

from detour.audit.checks import check_layers
from detour.formats.conversion import Document
from detour.formats.layer import Layer, read_native

NOW = 1_790_000_000.0
BACK = ("https://www.shop.example/v2/account/*", "https://shop.example/v2/account/{0}")


def layer(name: str, pattern: str, location: str) -> Layer:
    text = f'[[rule]]\nname = "{name}"\npattern = "{pattern}"\nlocation = "{location}"\n'
    return read_native(name, Document.parse(f"{name}.toml", text), {}, text)


@pytest.mark.parametrize(
    ("edge", "told_at"),
    [
        (("https://shop.example/*", "https://www.shop.example/{0}"), "app.toml"),  # its own witness arrives
        (("https://shop.example/v2/account/*", "https://www.shop.example/v2/account/{0}"), "edge.toml"),
    ],
)
def test_a_circle_of_two_layers_is_told_once(edge: tuple[str, str], told_at: str) -> None:
    layers = (layer("edge", *edge), layer("app", *BACK))
    found = [one for one in check_layers(layers, NOW) if one.check == "redirect-loop"]
    assert [one.span.file for one in found if one.span] == [told_at]


def test_layers_that_agree_have_no_circle() -> None:
    layers = (layer("edge", "http://shop.example/*", "https://shop.example/{0}"), layer("app", *BACK))
    assert [one for one in check_layers(layers, NOW) if one.check == "redirect-loop"] == []
