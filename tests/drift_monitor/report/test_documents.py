"""monitor_report.json and constraint_violations.json."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from drift_monitor.job.request import parse_findings
from drift_monitor.report.documents import report_document, violations_document
from drift_monitor.results import Analysis, Subject, Verdict
from tests.drift_monitor.files.documented import VIOLATIONS, check
from tests.drift_monitor.report.made_up import START, full_analysis

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "docs" / "monitor-report.schema.json").read_text())
EMPTY = Analysis(subject=Subject(monitor="m"), window=None, rows=0, verdict=Verdict.INSUFFICIENT_DATA)


@pytest.mark.parametrize("analysis", [full_analysis(), EMPTY], ids=["full", "empty"])
def test_a_report_keeps_to_its_schema(analysis: Analysis) -> None:
    """With everything and with nothing; numbers that JSON does not know are null."""
    odd = replace(analysis, features=tuple(replace(one, wasserstein=float("inf")) for one in analysis.features))
    document = json.loads(json.dumps(report_document(odd), allow_nan=False))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert {one["wasserstein"] for one in document["features"]} <= {None}


def test_violations_come_in_the_order_of_their_harm() -> None:
    """Distance times importance: a small shift of what the model leans on before a large one of what it ignores."""
    found = report_document(full_analysis())["violations"]
    assert [one["subject"] for one in found[:2]] == ["power", "small"]
    assert [one["analysis"] for one in found] == [
        *["data_quality"] * 3,
        "model_quality",
        "bias",
        "attribution",
    ]
    assert "for 3 windows in a row since 2026-11-26T12:00:00Z" in found[0]["description"]


def test_findings_are_the_history_of_the_next_window() -> None:
    """What a report says is read back as it was meant; columns with too little data were not judged."""
    report = report_document(full_analysis())
    history = parse_findings({"window": report["window"], **report["findings"]})
    assert history.window is not None
    assert history.window.start == START
    assert (history.judged, history.stood_out) == (frozenset({"power", "small"}),) * 2


def test_violations_are_as_model_monitor_writes_them() -> None:
    """Each kind with the members of its own monitor."""
    document = violations_document(full_analysis())
    check(document, VIOLATIONS)
    kinds: dict[str, dict[str, Any]] = {one["constraint_check_type"]: one for one in document["violations"]}
    assert kinds["baseline_drift_check"]["feature_name"] == "small"
    assert (
        kinds["GreaterThanThreshold"]["description"] == "Metric power with 30.0 +/- 0.5 was GreaterThanThreshold 12.0"
    )
    assert kinds["bias_drift_check"].keys() >= {"facet", "facet_value", "metric_name"}
    assert kinds["feature_attribution_drift_check"]["label"] == "label0"
