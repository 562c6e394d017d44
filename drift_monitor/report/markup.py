"""HTML as text: tables, badges and numbers as people read them. All text that comes from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from drift_monitor.results import Interval, Verdict

NOTHING = "-"
_WORDS = {
    Verdict.OK: ("good", "no violation"),
    Verdict.VIOLATION: ("bad", "violation"),
    Verdict.INSUFFICIENT_DATA: ("unsure", "too little data"),
}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> str:
    """A value as HTML: markup as it is, everything else escaped; None as a dash."""
    if isinstance(value, Html):
        return value
    return NOTHING if value is None else escape(str(value))


def joined(*parts: object) -> Html:
    """Markup and texts one after the other."""
    return Html("".join(html(part) for part in parts))


def badge(verdict: Verdict) -> Html:
    """A verdict in its colour."""
    style, word = _WORDS[verdict]
    return Html(f'<span class="badge {style}">{word}</span>')


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table; cells that are Html are kept."""
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{html(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return Html(f'<div class="scroll"><table><tr>{titles}</tr>{body}</table></div>')


def section(title: str, *parts: object) -> Html:
    """A headed part of the page; None among the parts is nothing."""
    body = "".join(html(part) for part in parts if part is not None)
    return Html(f"<section><h2>{escape(title)}</h2>{body}</section>")


def paragraph(content: object, *, style: str = "") -> Html:
    """A paragraph."""
    return Html(f'<p class="{style}">{html(content)}</p>' if style else f"<p>{html(content)}</p>")


def bullets(items: Iterable[object]) -> Html:
    """A list; nothing without items."""
    points = "".join(f"<li>{html(item)}</li>" for item in items)
    return Html(f"<ul>{points}</ul>" if points else "")


def folded(title: str, content: object) -> Html:
    """Details that open on a click."""
    return Html(f"<details><summary>{escape(title)}</summary>{html(content)}</details>")


def figure(value: float | None) -> str:
    """A number with four digits; a year is no thousands."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e12 else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share in percent."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def range_text(interval: Interval) -> str:
    """The ends of an interval."""
    if interval.low is None or interval.high is None:
        return NOTHING
    return f"{figure(interval.low)} to {figure(interval.high)}"


def several(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float | None) -> str:
    """A time in the unit that people would use."""
    if seconds is None:
        return NOTHING
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} seconds"
