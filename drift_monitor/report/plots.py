"""Small plots of the report: a window's column over the baseline's, figures with their limits, rankings, errors."""

from collections.abc import Mapping, Sequence

import numpy as np

from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.curve import count_below, quantiles
from drift_monitor.profile.dataset import ColumnProfile
from drift_monitor.profile.numeric import FloatArray, NumericProfile
from drift_monitor.quality.constraints import OUTSIDE
from drift_monitor.report.markup import figure
from drift_monitor.report.svg import BAD, BASELINE, WINDOW, circle, curve, drawing, line, rectangle, text
from drift_monitor.results import QualityMetric, Verdict

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 340, 170, 34, 24
_POINTS = 100
_CATEGORIES, _NAME_CHARACTERS = 8, 18
_BINS = 25


def column_plot(name: str, baseline: ColumnProfile, window: ColumnProfile) -> str:
    """Shares up to a value (numbers) or of categories, baseline and window; empty if either has no values."""
    if isinstance(baseline, NumericProfile) and isinstance(window, NumericProfile):
        return _numbers(name, baseline, window)
    if isinstance(baseline, CategoricalProfile) and isinstance(window, CategoricalProfile):
        return _categories(name, baseline, window)
    return ""


def ranking_plot(baseline: Mapping[str, float], window: Mapping[str, float]) -> str:
    """Mean sizes of the contributions, in the baseline's order."""
    names = sorted(baseline.keys() | window.keys(), key=lambda name: -baseline.get(name, 0.0))
    pairs = [(name, baseline.get(name, 0.0), window.get(name, 0.0)) for name in names]
    return _pairs(pairs, title="mean absolute contribution by feature", form="{:.3g}")


def limit_plot(metric: QualityMetric) -> str:
    """The interval of a figure on a line with its limits, and the baseline as a ring; empty without value or limit."""
    observed, limit = metric.observed, metric.limit
    if observed.value is None or limit is None:
        return ""
    limits = [-limit, limit] if metric.operator == OUTSIDE else [limit]
    known = [observed.value, observed.low, observed.high, metric.baseline, *limits]
    values = [value for value in known if value is not None]
    least, greatest = min(values), max(values)
    span = greatest / 2 - least / 2 or 1.0

    def place(value: float) -> float:
        return 12 + (value / 2 - least / 2) / span * 176

    style = BAD if metric.verdict is Verdict.VIOLATION else WINDOW
    parts = [line(6, 12, 194, 12, style="axis")]
    parts += [line(place(one), 2, place(one), 22, style="limit") for one in limits]
    if observed.low is not None and observed.high is not None:
        parts.append(rectangle(place(observed.low), 9, place(observed.high) - place(observed.low), 6, style=style))
    parts.append(circle(place(observed.value), 12, style=style))
    if metric.baseline is not None:
        parts.append(circle(place(metric.baseline), 12, style=f"{BASELINE} hollow"))
    return drawing(parts, width=200, height=24, title=f"{metric.name} with its limit")


def error_plot(errors: FloatArray) -> str:
    """How errors in percent are spread; those beyond the middle 98 % are counted at the ends."""
    low, high = np.quantile(errors, (0.01, 0.99))
    edge = max(abs(float(low)), abs(float(high)), 1e-9)
    counts, edges = np.histogram(np.clip(errors, -edge, edge), bins=_BINS, range=(-edge, edge))
    width, height, top = 520.0, 150.0, 110.0
    step = (width - 20) / _BINS
    largest = max(int(counts.max()), 1)
    parts = [
        rectangle(10 + i * step, 120 - count / largest * top, step - 1, count / largest * top, style=WINDOW)
        for i, count in enumerate(counts.tolist())
    ]
    middle = 10 + _BINS * step / 2
    mean = 10 + (min(max(float(errors.mean()), -edge), edge) + edge) / (2 * edge) * _BINS * step
    parts += [line(middle, 5, middle, 120, style="axis"), line(mean, 5, mean, 120, style="limit")]
    for x, value, anchor in ((10, edges[0], "start"), (middle, 0.0, "middle"), (width - 10, edges[-1], "end")):
        parts.append(text(x, 138, f"{value:+.3g} %", anchor=anchor))
    return drawing(parts, width=width, height=height, title="errors in percent of the actual value")


def share_bar(share: float) -> str:
    """A bar of 100 pixels that is filled to a share."""
    parts = [rectangle(0, 2, 100, 10, style="empty"), rectangle(0, 2, 100 * min(max(share, 0), 1), 10, style=WINDOW)]
    return drawing(parts, width=100, height=14, title=f"{share:.0%}")


def _numbers(name: str, baseline: NumericProfile, window: NumericProfile) -> str:
    tails = np.array([0.005, 0.995])
    ends = np.concatenate([quantiles(baseline, tails), quantiles(window, tails)])
    if len(ends) < 4:
        return ""
    least, greatest = float(ends.min()), float(ends.max())
    shares = np.linspace(0.0, 1.0, _POINTS)
    points = least * (1 - shares) + greatest * shares
    parts = _frame()
    for profile, style in ((baseline, BASELINE), (window, WINDOW)):
        heights = _upper(profile, points) / profile.present
        parts.append(curve([_place(x, y) for x, y in zip(shares, heights, strict=True)], style=style))
    for share, value, anchor in (
        (0.0, least, "start"),
        (0.5, least / 2 + greatest / 2, "middle"),
        (1.0, greatest, "end"),
    ):
        parts.append(text(_place(share, 0)[0], _HEIGHT - 8, figure(value), anchor=anchor))
    return drawing(parts, width=_WIDTH, height=_HEIGHT, title=f"share of values up to {name}")


def _upper(profile: NumericProfile, points: FloatArray) -> FloatArray:
    """How many values are at most each point: below the next number."""
    return count_below(profile, np.nextafter(points, np.inf))


def _place(x: float, y: float) -> tuple[float, float]:
    return _LEFT + x * (_WIDTH - _LEFT - 10), _HEIGHT - _BOTTOM - y * (_HEIGHT - _BOTTOM - 10)


def _frame() -> list[str]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        (x1, y), (x2, _) = _place(0, share), _place(1, share)
        parts += [line(x1, y, x2, y, style="axis"), text(x1 - 5, y + 4, f"{share:.0%}", anchor="end")]
    return parts


def _categories(name: str, baseline: CategoricalProfile, window: CategoricalProfile) -> str:
    if not (baseline.present and window.present):
        return ""
    shares = _shares(baseline, window)
    widest = sorted(shares, key=lambda one: -abs(one[1] - one[2]))[:_CATEGORIES]
    return _pairs(
        sorted(widest, key=lambda one: -one[1]),
        title=f"share of the categories of {name} that changed most",
        form="{:.1%}",
    )


def _shares(baseline: CategoricalProfile, window: CategoricalProfile) -> list[tuple[str, float, float]]:
    known = zip(baseline.categories, baseline.counts.tolist(), window.counts.tolist(), strict=True)
    shares = [(category, before / baseline.present, now / window.present) for category, before, now in known]
    shares += [(f"{category} (new)", 0.0, count / window.present) for category, count in window.new.items()]
    if baseline.other or window.other:
        shares.append(("all others", baseline.other / baseline.present, window.other / window.present))
    return shares


def _pairs(pairs: Sequence[tuple[str, float, float]], *, title: str, form: str) -> str:
    """Two bars for each name: baseline above window."""
    left, bar, row = 130, 9, 26
    largest = max((max(before, now) for _, before, now in pairs), default=0.0) or 1.0
    width = _WIDTH - left - 45
    parts = []
    for index, (name, *values) in enumerate(pairs):
        top = 4 + index * row
        shown = name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"
        parts.append(text(left - 6, top + 13, shown, anchor="end"))
        for number, (value, style) in enumerate(zip(values, (BASELINE, WINDOW), strict=True)):
            y = top + number * (bar + 1)
            parts.append(rectangle(left, y, value / largest * width, bar, style=style))
            parts.append(text(left + value / largest * width + 4, y + 8, form.format(value)))
    return drawing(parts, width=_WIDTH, height=len(pairs) * row + 6, title=title)
