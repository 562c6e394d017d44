"""Shapes of inline SVG as text. Colours are classes of the page's style, so that plots follow light and dark.

Must not know what is drawn.
"""

from collections.abc import Sequence
from html import escape

BASELINE, WINDOW, BAD = "baseline", "window", "bad"


def drawing(parts: Sequence[str], *, width: float, height: float, title: str) -> str:
    """An image with a title for those who cannot see it."""
    body = "".join(parts)
    return (
        f'<svg role="img" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def text(x: float, y: float, content: str, *, anchor: str = "start", style: str = "") -> str:
    """A line of text; `anchor`: start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, style: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def rectangle(x: float, y: float, width: float, height: float, *, style: str) -> str:
    """A filled rectangle; less than no width is none."""
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{style}"/>'


def curve(points: Sequence[tuple[float, float]], *, style: str) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" class="{style}"/>'


def circle(x: float, y: float, *, style: str) -> str:
    """A dot."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{style}"/>'
