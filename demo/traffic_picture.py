"""A picture of the production endpoint's traffic: each version's share over time, and what became of the requests.

One SVG file without scripts or links that follows the reader's light or dark setting.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from demo.chapters import Chapter
from demo.load import Call
from demo.traffic import Change

_WIDTH = 900
_LEFT, _RIGHT = 64, 876
_SHARE_TOP, _SHARE_BOTTOM = 76, 276
_CALLS_TOP, _CALLS_BOTTOM = 320, 400
_LEGEND_TOP, _LEGEND_ROW, _LEGEND_COLUMNS = 456, 22, 3
_SECONDS_BEFORE, _SECONDS_AFTER = 1.0, 2.0
_MARK_WIDTH = 110
_VERSION_COLOURS = 4
_STYLE = """
  svg { --ink: #1c2733; --soft: #66727f; --line: #d5dbe1; --ground: #ffffff; --bad: #c62828; --calls: #9aa7b4;
        --v0: #3b7dd8; --v1: #e08a1e; --v2: #7e57c2; --v3: #2e9e6b; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --soft: #9aa7b4; --line: #37424e; --ground: #161b22; --bad: #ff6b6b; --calls: #66727f;
          --v0: #5c9bf0; --v1: #f0a94a; --v2: #a587e0; --v3: #4cc38a; }
  }
  text { fill: var(--ink); font: 12px system-ui, sans-serif; }
  .soft { fill: var(--soft); } .title { font-size: 15px; font-weight: 600; } .bad { fill: var(--bad); }
"""


@dataclass(frozen=True)
class _Axis:
    """Seconds since the epoch to places on the horizontal axis."""

    begin: float
    end: float

    def x(self, moment: float) -> float:
        part = (moment - self.begin) / (self.end - self.begin)
        return _LEFT + min(max(part, 0.0), 1.0) * (_RIGHT - _LEFT)


def draw_traffic(changes: Sequence[Change], chapters: Sequence[Chapter]) -> str:
    """The picture as SVG text. `changes` are the endpoint's, the oldest first and at least one."""
    calls = [call for chapter in chapters if chapter.observed for call in chapter.observed.calls]
    last = max([changes[-1].moment, *(call.sent for call in calls)])
    axis = _Axis(changes[0].moment - _SECONDS_BEFORE, last + _SECONDS_AFTER)
    names = {chapter.version: f"version {chapter.version}: {chapter.model}" for chapter in chapters}
    parts = [
        _text(_LEFT, 24, "Traffic of the production endpoint", css="title"),
        *_share_panel(changes, axis, list(names)),
        *_call_panel(calls, axis),
        *_marks(changes, axis),
        *_seconds(axis),
        *_legend(names),
    ]
    height = _LEGEND_TOP + math.ceil(len(names) / _LEGEND_COLUMNS) * _LEGEND_ROW
    title = "Share of each model version in the traffic of the production endpoint over time"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n"
        f'<rect width="{_WIDTH}" height="{height}" fill="var(--ground)"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _legend(names: dict[str, str]) -> Iterator[str]:
    for place, name in enumerate(names.values()):
        x, y = _LEFT + place % _LEGEND_COLUMNS * 275, _LEGEND_TOP + place // _LEGEND_COLUMNS * _LEGEND_ROW
        yield f'<rect x="{x}" y="{y - 10}" width="11" height="11" rx="2" fill="{_colour(place)}"/>'
        yield _text(x + 17, y, name)


def _share_panel(changes: Sequence[Change], axis: _Axis, versions: Sequence[str]) -> Iterator[str]:
    """One area per version and phase, the oldest version at the bottom."""
    height = _SHARE_BOTTOM - _SHARE_TOP
    phases = [next(phase) for _, phase in groupby(changes, key=lambda change: change.share)]
    ends = [*(phase.moment for phase in phases[1:]), axis.end]
    for phase, end in zip(phases, ends, strict=True):
        bottom = float(_SHARE_BOTTOM)
        for place, version in enumerate(versions):
            tall = phase.share.get(version, 0.0) * height
            bottom -= tall
            x, wide = axis.x(phase.moment), axis.x(end) - axis.x(phase.moment)
            yield _bar(x, bottom, wide, tall, colour=_colour(place))
    for percent in (0, 50, 100):
        y = _SHARE_BOTTOM - percent / 100 * height
        yield f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y}" y2="{y}" stroke="var(--line)"/>'
        yield _text(_LEFT - 8, y + 4, f"{percent} %", anchor="end", css="soft")


def _marks(changes: Sequence[Change], axis: _Axis) -> Iterator[str]:
    """Where a deployment begins to move traffic, where it is complete, and where one is rolled back."""
    share = changes[0].share
    yield _mark(axis.x(changes[0].moment), "first release", row=0)
    for change in changes[1:]:
        if change.status == "RollingBack":
            yield _mark(axis.x(change.moment), "alarm: rolled back", row=1, css="bad")
        elif change.status == "Updating" and change.share != share:
            if len(change.share) > 1:
                yield _mark(axis.x(change.moment), "canary", row=0)
            elif len(share) > 1 and set(change.share) != {next(iter(share))}:
                yield _mark(axis.x(change.moment), "all traffic", row=1)
        share = change.share or share


def _mark(x: float, text: str, *, row: int, css: str = "") -> str:
    y = 48 + row * 15
    colour = "var(--bad)" if css == "bad" else "var(--ink)"
    line = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 4}" y2="{_CALLS_BOTTOM}" stroke="{colour}" stroke-dasharray="3"/>'
    if x > _RIGHT - _MARK_WIDTH:
        return line + _text(x - 3, y, text, anchor="end", css=css)
    return line + _text(x + 3, y, text, css=css)


def _call_panel(calls: Sequence[Call], axis: _Axis) -> Iterator[str]:
    """Requests of each second as bars, the failed ones in front."""
    sent = Counter(int(call.sent - axis.begin) for call in calls)
    failed = Counter(int(call.sent - axis.begin) for call in calls if not call.succeeded)
    most = max(sent.values(), default=1)
    height = _CALLS_BOTTOM - _CALLS_TOP
    yield _text(_LEFT, _CALLS_TOP - 10, "requests per second, and those that failed")
    for counts, colour in ((sent, "var(--calls)"), (failed, "var(--bad)")):
        for second, count in counts.items():
            x, tall = axis.x(axis.begin + second), count / most * height
            wide = axis.x(axis.begin + second + 1) - x - 1
            yield _bar(x, _CALLS_BOTTOM - tall, wide, tall, colour=colour)
    for count in (0, most):
        y = _CALLS_BOTTOM - count / most * height
        yield _text(_LEFT - 8, y + 4, str(count), anchor="end", css="soft")
    yield f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{_CALLS_BOTTOM}" y2="{_CALLS_BOTTOM}" stroke="var(--line)"/>'


def _seconds(axis: _Axis) -> Iterator[str]:
    for second in range(0, int(axis.end - axis.begin) + 1, 10):
        x = axis.x(axis.begin + second)
        yield _text(x, _CALLS_BOTTOM + 18, str(second), anchor="middle", css="soft")
    yield _text((_LEFT + _RIGHT) / 2, _CALLS_BOTTOM + 38, "seconds", anchor="middle", css="soft")


def _bar(x: float, y: float, width: float, height: float, *, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _colour(place: int) -> str:
    return f"var(--v{place % _VERSION_COLOURS})"


def _text(x: float, y: float, text: str, *, anchor: str = "start", css: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}">{escape(text)}</text>'
