"""Two plots as inline SVG text, so that a report is one file without scripts or links."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN = 560, 400, 60
COLOURS = ("#1f77b4", "#ff7f0e", "#7f7f7f")


@dataclass(frozen=True)
class Series:
    """Named values, drawn in the colour of their place."""

    name: str
    values: Sequence[float]


def scatter(actual: Sequence[float], series: Sequence[Series], *, unit: str) -> str:
    """Predicted over actual with the line of perfect predictions; every point is drawn."""
    upper = max([*actual, *(value for one in series for value in one.values)]) * 1.03

    def place(x: float, y: float) -> tuple[float, float]:
        width, height = WIDTH - 1.5 * MARGIN, HEIGHT - 1.5 * MARGIN
        return MARGIN + x / upper * width, HEIGHT - MARGIN - y / upper * height

    x0, y0 = place(0, 0)
    x1, y1 = place(upper, upper)
    parts = [f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="#999" stroke-dasharray="4"/>']
    parts += [_axis(place(upper * i / 4, 0), place(0, upper * i / 4), upper * i / 4) for i in range(5)]
    for colour, one in zip(COLOURS, series, strict=False):
        for x, y in (place(a, p) for a, p in zip(actual, one.values, strict=True)):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}" fill-opacity="0.4"/>')
    parts.append(_text(WIDTH / 2, HEIGHT - 15, f"actual, {unit}", anchor="middle"))
    parts.append(_text(15, HEIGHT / 2, f"predicted, {unit}", anchor="middle", rotate=True))
    return _svg([*parts, *_legend([one.name for one in series])], HEIGHT)


def bars(labels: Sequence[str], series: Sequence[Series], *, unit: str) -> str:
    """Horizontal bars per label, one for each series; negative values are drawn as zero."""
    row = 12 * len(series) + 8
    height = row * len(labels) + 50
    upper = max(value for one in series for value in one.values) or 1.0
    left, width = 160, WIDTH - 230
    parts = []
    for index, name in enumerate(labels):
        top = 35 + index * row
        parts.append(_text(left - 8, top + row / 2, name, anchor="end"))
        for offset, (colour, one) in enumerate(zip(COLOURS, series, strict=False)):
            length = max(one.values[index], 0.0) / upper * width
            y = top + offset * 12
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="10" fill="{colour}"/>')
            parts.append(_text(left + length + 4, y + 9, f"{one.values[index]:.1f}"))
    parts.append(_text(left, height - 4, unit))
    return _svg([*parts, *_legend([one.name for one in series])], height)


def _axis(bottom: tuple[float, float], left: tuple[float, float], value: float) -> str:
    text = f"{value / 1000:.0f}k" if value >= 1000 else f"{value:.0f}"
    below = _text(bottom[0], bottom[1] + 16, text, anchor="middle")
    return below + _text(left[0] - 6, left[1] + 4, text, anchor="end")


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for index, (colour, name) in enumerate(zip(COLOURS, names, strict=False)):
        x = MARGIN + 20 + index * 130
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{colour}"/>' + _text(x + 15, 17, name))
    return parts


def _text(x: float, y: float, text: str, *, anchor: str = "start", rotate: bool = False) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if rotate else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(text)}</text>'


def _svg(parts: Sequence[str], height: float) -> str:
    body = "\n".join(parts)
    return f'<svg role="img" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" font-size="11">\n{body}\n</svg>'
