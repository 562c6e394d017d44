"""The picture of the traffic."""

from xml.etree import ElementTree

from demo.chapters import Chapter
from demo.load import Call
from demo.release import Released
from demo.rollout import Observed
from demo.traffic import Change
from demo.traffic_picture import draw_traffic

_NAMESPACE = "{http://www.w3.org/2000/svg}"


def _history() -> list[Change]:
    """Version 1 goes live, a canary of version 2 begins, and is rolled back."""
    return [
        Change(0.0, "Creating", "", {}),
        Change(1.0, "InService", "", {"1": 1.0}),
        Change(10.0, "Updating", "", {"1": 1.0}),
        Change(12.0, "Updating", "canary", {"1": 0.9, "2": 0.1}),
        Change(14.0, "Updating", "", {"1": 1.0}),
        Change(14.0, "RollingBack", "Alarm", {"1": 1.0}),
        Change(15.0, "InService", "Rolled back", {"1": 1.0}),
    ]


def _chapters() -> list[Chapter]:
    calls = [Call(0, 11.0 + place / 10, 0.01, 424 if place == 20 else 200, "1.0") for place in range(40)]
    observed = Observed(Released("2", "Failed", {}), calls, {"1": 38, "2": 2})
    return [Chapter("1", "the <first>", {}, "live"), Chapter("2", "a bad one", {}, "rolled back", observed)]


def test_it_shows_shares_deployments_and_the_rollback() -> None:
    """A well-formed file that loads nothing, with a legend, a mark where traffic moved, and failed requests."""
    text = draw_traffic(_history(), _chapters())
    root = ElementTree.fromstring(text)  # noqa: S314  our own file
    words = [element.text for element in root.iter(f"{_NAMESPACE}text")]

    for word in ("version 1: the <first>", "version 2: a bad one", "first release", "canary", "alarm: rolled back"):
        assert words.count(word) == 1, word
    heights = {
        float(bar.attrib["height"]) for bar in root.iter(f"{_NAMESPACE}rect") if bar.attrib["fill"] == "var(--v1)"
    }
    assert 20.0 in heights  # a tenth of the panel's 200
    assert any(bar.attrib["fill"] == "var(--bad)" for bar in root.iter(f"{_NAMESPACE}rect"))
    assert "prefers-color-scheme: dark" in text
    assert not any(name in text for name in ("href", "<script", "url("))
