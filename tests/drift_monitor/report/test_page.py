"""The HTML report: self-contained, escaped, the verdict first."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from drift_monitor.analysis import AnalysedWindow
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.report.page import render_page
from drift_monitor.results import Analysis, Subject, Verdict
from tests.drift_monitor.profiles import window_profile
from tests.drift_monitor.report.made_up import HOSTILE, feature, full_analysis
from tests.drift_monitor.sold_cars import cars, monitored_model

VOID = {"meta", "line", "rect", "circle", "polyline", "br"}


class _Balanced(HTMLParser):
    """Fails where an element is closed that is not the open one; collects names, attributes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def _page(analysis: Analysis, profile: DatasetProfile | None = None, *, name: str = "power") -> str:
    model = monitored_model()
    columns = model.baseline.profile.columns
    made_up = {one.feature: columns["power"] for one in analysis.features if one.feature not in columns}
    baseline = replace(model.baseline.profile, columns={**columns, **made_up})
    model = replace(model, baseline=replace(model.baseline, profile=baseline))
    window = profile or baseline
    errors = np.random.default_rng(1).normal(size=500) if analysis.quality else None
    return render_page(AnalysedWindow(analysis=analysis, profile=window, errors=errors), model)


def _parsed(page: str) -> _Balanced:
    parser = _Balanced()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No script, no link, no address of another file; light and dark are both styled."""
    page = _page(full_analysis())
    parsed = _parsed(page)
    assert not parsed.names & {"script", "link", "img", "iframe", "object", "embed", "a", "form", "image", "use"}
    assert not parsed.attributes & {"src", "href", "xlink:href", "action", "style", "srcset", "data"}
    assert not any(name.startswith("on") for name in parsed.attributes)
    assert not re.search(r"https?:|//|@import|url\(", page)
    assert "prefers-color-scheme:dark" in page


def test_what_comes_from_outside_is_escaped() -> None:
    """Names of columns, categories and endpoints, examples of payloads: all may be markup."""
    page = _page(full_analysis(HOSTILE))
    parsed = _parsed(page)
    assert "script" not in parsed.names
    assert any(HOSTILE in text for text in parsed.texts)


def test_the_verdict_comes_first_and_then_what_is_wrong() -> None:
    """Before any figure: one word, and a sentence for each violation in the order of harm."""
    texts = [text for text in _parsed(_page(full_analysis())).texts if text.strip()]
    assert texts[1:3] == ["power: ", "violation"]
    whole = " ".join(texts)
    order = ["power: the distance", "small: the distance", "How good the answers were", "What has changed", "Rules"]
    places = [whole.index(part) for part in order]
    assert places == sorted(places)
    table = whole[whole.index("What has changed") :]
    assert table.index("power") < table.index("small") < table.index("thin")


def test_every_part_is_shown() -> None:
    """Coverage and lateness, limits, the confusion matrix, groups, attributions, and what could not be read."""
    whole = " ".join(_parsed(_page(full_analysis())).texts)
    for part in (
        "400 of 500 predictions have a label (80.0 %)",
        "Half of the labels came within 2.0 hours, 95 % within 25.0 hours",
        "3 labels are of other events",
        "at most 12",
        "confusion matrix",
        "1 metric without a value",
        "NDCG 0.5 (95 % 0.4 to 0.6)",
        "2.0 % of the events could not be used",
        "1 hour without an event",
    ):
        assert part in whole, part


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_empty_analysis_is_a_page_too(verdict: Verdict) -> None:
    """Nothing was asked for, or nothing was there."""
    page = _page(Analysis(subject=Subject(monitor="m"), window=None, rows=0, verdict=verdict))
    assert "all of the data" in " ".join(_parsed(page).texts)


@pytest.mark.parametrize(
    "powers",
    [[1e308, -1e308] * 60, [5.0] * 120, [None] * 120, [0.0, 1.0] * 60],
    ids=["huge", "constant", "missing", "flag"],
)
def test_plots_of_odd_columns(powers: list[float | None]) -> None:
    """No value breaks a plot: every coordinate is a number."""
    model = monitored_model()
    rows = len(powers)
    window = window_profile(
        {"year": [2005] * rows, "power": np.array(powers, dtype=float), "make": ["<new>"] * rows},
        model.baseline.profile.anchors,
    )
    analysis = Analysis(
        subject=Subject(monitor="m"),
        window=None,
        rows=rows,
        verdict=Verdict.VIOLATION,
        features=tuple(feature(name, 0.5) for name in ("power", "make", "year")),
    )
    page = _page(analysis, window)
    _parsed(page)
    assert not re.search(r'"[^"]*\b(nan|inf)\b[^"]*"', page)
    assert "&lt;new&gt; (new)" in page


def test_the_drifted_columns_of_a_real_window_are_plotted() -> None:
    """Two curves for numbers, pairs of bars for categories."""
    model = monitored_model()
    batch = cars(500, seed=5, power=190)
    window = window_profile(
        {name: batch.column(name) for name in ("year", "power", "make")}, model.baseline.profile.anchors
    )
    analysis = replace(full_analysis(), features=(feature("power", 0.4), feature("make", 0.2)))
    page = _page(analysis, window)
    assert page.count("<polyline") == 2
    assert "ford" in page
