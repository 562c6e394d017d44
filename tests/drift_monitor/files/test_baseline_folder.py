"""Baseline folders: written and read without a change, and damage that is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from drift_monitor.baseline import ColumnConstraints, DataConstraints
from drift_monitor.drift.detection import detect
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.errors import BaselineError
from drift_monitor.files.baseline_folder import read_baseline, write_baseline
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.quality.calibration import Calibration
from drift_monitor.schema import ColumnType
from tests.drift_monitor.files.documented import (
    BIAS as BIAS_SCHEMA,
)
from tests.drift_monitor.files.documented import (
    CONSTRAINTS,
    REGRESSION_CONSTRAINTS,
    REGRESSION_STATISTICS,
    STATISTICS,
    check,
)
from tests.drift_monitor.profiles import window_profile
from tests.drift_monitor.sold_cars import BIAS, explained_model

FILES = {
    "attribution.json",
    "background.npy",
    "bias.json",
    "constraints.json",
    "model_quality_constraints.json",
    "model_quality_statistics.json",
    "profile.npz",
    "statistics.json",
}


def _odd_model() -> MonitoredModel:
    """Values that no usual baseline has."""
    model = explained_model()
    odd = (
        ColumnConstraints(feature="year", type=ColumnType.INTEGRAL, completeness=None, type_share=None),
        ColumnConstraints(feature="power", type=ColumnType.FRACTIONAL, bounds=(-1.5, 1e308), effect_floor=0.2),
        ColumnConstraints(
            feature="make", type=ColumnType.STRING, type_share=None, domain=("ford", "škoda"), domain_share=None
        ),
    )
    constraints = DataConstraints(columns=odd, rows=None)
    baseline = replace(model.baseline, constraints=constraints)
    bias = replace(BIAS, group_variable="year", features=("year", "power"), allowed={"DPPL": (-0.3, 0.1)})
    return replace(model, baseline=baseline, bias_settings=bias, calibration=Calibration((0.1, 0.9), (0.2, 0.8)))


@pytest.mark.parametrize("make", [explained_model, _odd_model])
def test_reading_and_writing_again_changes_nothing(make: object, tmp_path: Path) -> None:
    """Every file keeps its bytes, and everything but the arrays compares equal."""
    assert callable(make)
    model: MonitoredModel = make()
    write_baseline(tmp_path / "first", model)
    read = read_baseline(tmp_path / "first")
    write_baseline(tmp_path / "second", read)

    assert {file.name for file in (tmp_path / "first").iterdir()} == FILES
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    assert read.baseline.constraints == model.baseline.constraints
    assert read.baseline.model_quality == model.baseline.model_quality
    assert read.baseline.bias == model.baseline.bias
    assert read.baseline.attribution == model.baseline.attribution
    assert (read.answers, read.bias_settings, read.calibration) == (
        model.answers,
        model.bias_settings,
        model.calibration,
    )


def test_files_are_as_aws_documents_them(tmp_path: Path) -> None:
    """Statistics, constraints, model quality and bias validate against the documented schemas."""
    write_baseline(tmp_path, explained_model())

    documents = {name: json.loads((tmp_path / name).read_text()) for name in FILES if name.endswith(".json")}
    check(documents["statistics.json"], STATISTICS)
    check(documents["constraints.json"], CONSTRAINTS)
    check(documents["model_quality_statistics.json"], REGRESSION_STATISTICS)
    check(documents["model_quality_constraints.json"], REGRESSION_CONSTRAINTS)
    check(documents["bias.json"], BIAS_SCHEMA)
    assert documents["attribution.json"]["explanations"]["native"]["label0"]["expected_value"] == 10.0


def test_a_baseline_without_its_profile_gives_nearly_the_same_distances(tmp_path: Path) -> None:
    """The sketches in statistics.json stand in for profile.npz, within the error that they admit."""
    model = explained_model()
    write_baseline(tmp_path, model)
    (tmp_path / "profile.npz").unlink()
    imported = read_baseline(tmp_path)

    window = {"year": [2005, 2006] * 200, "power": [float(value) for value in range(400)], "make": ["ford"] * 400}
    for name, exact, sketched in zip(
        model.baseline.profile.columns,
        *(
            detect(one.profile, window_profile(window, one.profile.anchors), policy=AlarmPolicy())
            for one in (model.baseline, imported.baseline)
        ),
        strict=True,
    ):
        if name == "prediction":
            continue
        assert exact.distance is not None
        assert sketched.distance is not None
        assert sketched.distance == pytest.approx(exact.distance, abs=0.0015), name
        assert sketched.distance_error >= abs(sketched.distance - exact.distance), name
    assert imported.baseline.constraints == model.baseline.constraints


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("statistics.json", None),
        ("statistics.json", "{"),
        ("statistics.json", "[]"),
        ("statistics.json", '{"features": []}'),
        ("constraints.json", "not JSON"),
        ("constraints.json", "{}"),
        ("profile.npz", "damaged"),
        ("model_quality_statistics.json", "{}"),
        ("model_quality_constraints.json", None),
        ("bias.json", "5"),
        ("attribution.json", '{"explanations": {"native": {"label0": {"global_shap_values": {"a": "x"}}}}}'),
        ("background.npy", "damaged"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: str | None, tmp_path: Path) -> None:
    """A missing or damaged file is a BaselineError that says which, or what is wrong with it."""
    write_baseline(tmp_path, explained_model())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(BaselineError) as caught:
        read_baseline(tmp_path)
    kind = name.split(".")[0].split("_")[-1]
    assert kind in str(caught.value) or "model's quality" in str(caught.value)
