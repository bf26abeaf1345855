"""The plot: CPU a redirect on random rules over the number of rules, both logarithmic; an SVG by hand."""

from __future__ import annotations

from math import log10
from typing import NamedTuple

from bench.scale.cells import Cell, CellFile
from bench.scale.kinds import KINDS

PANELS = ("exact-slug", "prefix", "segment", "regex")
COLOURS = {  # told apart by colour-blind readers too (Okabe and Ito), on white
    "detour": "#d55e00",
    "nginx": "#009e73",
    "haproxy": "#0072b2",
    "caddy": "#8a6d00",
    "envoy": "#a64d79",
}
WIDTH, HEIGHT = 460, 300  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 58, 74, 40, 44
LABEL = 14  # least distance of two labels
STYLE = (
    "text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#333}.title{font-size:14px;font-weight:600}"
    ".grid{stroke:#ddd;stroke-width:1}.line{fill:none;stroke-width:2}.own{stroke-width:3.5}"
    ".name{font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3px}"
)


class Scale(NamedTuple):
    """Decades on a length of pixels."""

    low: float  # log10
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def decades(self) -> range:
        """The exponents to mark."""
        return range(round(self.low), round(self.high) + 1)


def draw(cells: CellFile) -> str:
    """The whole SVG."""
    shown = [cell for cell in cells.cells if cell.hit == "random" and cell.row in COLOURS]
    costs = [cell.cost for cell in shown if cell.kind in PANELS] or [1.0, 10.0]
    up = (float(int(log10(min(costs)))), float(int(log10(max(costs))) + 1))
    panels = [_panel(name, [cell for cell in shown if cell.kind == name], up) for name in PANELS]
    places = [(number % 2 * WIDTH, 30 + number // 2 * HEIGHT) for number in range(len(PANELS))]
    moved = zip(places, panels, strict=True)
    body = "".join(f'<g transform="translate({x},{y})">{panel}</g>' for (x, y), panel in moved)
    width, height = 2 * WIDTH, 2 * HEIGHT + 56
    machine = cells.setting.machine
    where = f"{machine.cpu}, kernel {machine.kernel}, {machine.date[:10]}; one core each"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="CPU microseconds a redirect over the number of rules"><style>{STYLE}</style>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        + _text(LEFT, 24, "CPU µs a redirect, uniformly random hits, over the number of rules", "title")
        + body
        + _text(LEFT, height - 12, where)
        + "</svg>\n"
    )


def _panel(name: str, cells: list[Cell], up: tuple[float, float]) -> str:
    title = next(kind.title for kind in KINDS if kind.name == name)
    most = max((cell.count for cell in cells), default=10)
    across = Scale(0, max(log10(most), 1), LEFT, WIDTH - RIGHT)
    upward = Scale(*up, HEIGHT - BOTTOM, TOP)
    rows = {row: sorted((c.count, c.cost) for c in cells if c.row == row) for row in COLOURS}
    lines = [_line(row, points, across, upward) for row, points in rows.items() if points]
    return (
        _text(LEFT, TOP - 14, f"{name.split('-')[0]}: {title.removeprefix('exact, ')}", "title")
        + _grid(across, upward)
        + "".join(reversed(lines))
        + _labels({row: points[-1] for row, points in rows.items() if points}, across, upward)
    )


def _grid(across: Scale, upward: Scale) -> str:
    parts = []
    for exponent in upward.decades():
        y = upward.at(10**exponent)
        parts.append(f'<line class="grid" x1="{across.start}" x2="{across.end}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(across.start - 8, y + 4, _power(exponent), anchor="end"))
    for exponent in across.decades():
        x = across.at(10**exponent)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{upward.end}" y2="{upward.start}"/>')
        parts.append(_text(x, upward.start + 18, _power(exponent), anchor="middle"))
    return "".join(parts)


def _power(exponent: int) -> str:
    return f"{10**exponent:,}" if exponent < 4 else "10" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[exponent]


def _line(row: str, points: list[tuple[int, float]], across: Scale, upward: Scale) -> str:
    spots = [(across.at(count), upward.at(cost)) for count, cost in points]
    own = " own" if row == "detour" else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[row]}"/>' for x, y in spots)
    return f'<polyline class="line{own}" stroke="{COLOURS[row]}" points="{path}"/>{dots}'


def _labels(ends: dict[str, tuple[int, float]], across: Scale, upward: Scale) -> str:
    """Names at the ends of the lines, pushed apart where several end close together."""
    wanted = sorted((upward.at(cost), row) for row, (_, cost) in ends.items())
    parts: list[str] = []
    lowest: dict[float, float] = {}  # by where lines end
    for y, row in wanted:
        x = across.at(ends[row][0])
        lowest[x] = max(y, lowest.get(x, 0) + LABEL)
        parts.append(_text(x + 8, lowest[x] + 4, row, "name", colour=COLOURS[row]))
    return "".join(parts)


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start", colour: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    fill = f' style="fill:{colour}"' if colour else ""
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}{fill}>{safe}</text>'
