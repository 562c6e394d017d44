"""The same job under Model Monitor's own schedules: single baseline files, merged labels, other people's baselines."""

import json
from pathlib import Path
from typing import Any

import pytest

from drift_monitor.files.baseline_folder import write_baseline
from tests.drift_monitor.job.container import Container
from tests.drift_monitor.sold_cars import cars, monitored_model, write_window

FOLDERS = {"statistics": "stats", "constraints": "constraints"}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    """A container as a schedule starts it: nothing that only our pipeline sets."""
    return Container(tmp_path)


def _run(container: Container, files: dict[str, str | dict[str, Any]], **changes: str | None) -> int:
    """Run with baseline files in folders of their own: by variable, a name of our baseline or a document."""
    ours = container.base / "ours"
    write_baseline(ours, monitored_model())
    paths: dict[str, str | None] = {}
    for variable, file in files.items():
        folder = container.base / "processing" / "baseline" / FOLDERS[variable]
        folder.mkdir(parents=True)
        name = file if isinstance(file, str) else f"{variable}.json"
        (folder / name).write_text((ours / name).read_text() if isinstance(file, str) else json.dumps(file))
        paths[f"baseline_{variable}"] = f"/opt/ml/processing/baseline/{FOLDERS[variable]}/{name}"
    none = dict.fromkeys(("analyses", "labelled_path", "model_path", "variant_name", "model_package_arn"))
    unset = {f"baseline_{variable}": None for variable in FOLDERS}
    return container.run(**{**none, **unset, **paths, **changes})


def _merged(container: Container, *, dearer: float, inference_ids: bool = False) -> None:
    """What SageMaker's merge job leaves: events with their label, and no ground truth files."""
    write_window(container.window, cars(300, seed=6, dearer=dearer))
    labels = container.window / "ground-truth"
    (file,) = container.window.rglob("capture/**/*.jsonl")
    (label_file,) = labels.rglob("*.jsonl")
    truths = [json.loads(line)["groundTruthData"] for line in label_file.read_text().splitlines()]
    events = [json.loads(line) for line in file.read_text().splitlines()]
    for number, (event, truth) in enumerate(zip(events, truths, strict=True)):
        event["groundTruthData"] = truth
        if inference_ids:
            event["eventMetadata"]["inferenceId"] = f"caller-{number}"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    label_file.unlink()


def test_data_quality_with_two_files(container: Container) -> None:
    """Without the exact profile the sketches do; the columns and the answer are still known."""
    write_window(container.window, cars(1000, seed=5, power=180), labelled=False)
    assert _run(container, {"statistics": "statistics.json", "constraints": "constraints.json"}) == 0

    report = container.result()
    assert {one["subject"] for one in report["violations"]} == {"power", "prediction"}
    assert report["quality"] is None
    assert container.message.startswith("CompletedWithViolations: ")
    assert {file.name for file in (container.base / "processing" / "result").iterdir()} >= {
        "statistics.json",
        "constraints.json",
        "constraint_violations.json",
    }


def test_a_schedule_brings_the_alarm_policy_in_a_variable(container: Container) -> None:
    """It has no request file; what cannot be read fails the job, with the reason."""
    write_window(container.window, cars(1000, seed=5, power=180), labelled=False)
    files: dict[str, str | dict[str, Any]] = {"statistics": "statistics.json", "constraints": "constraints.json"}
    assert _run(container, files, alarm_policy='{"effect_floor": 1.0}') == 0
    assert not any(one["subject"] == "power" for one in container.result()["violations"])

    assert container.run(alarm_policy="strict") == 1
    assert "alarm_policy is strict, but should be a JSON object" in container.failure


@pytest.mark.parametrize("inference_ids", [False, True])
def test_model_quality_with_merged_labels(container: Container, inference_ids: bool) -> None:
    """Labels are in the events; the constraints alone say what is expected; statistics.json is that of the model."""
    _merged(container, dearer=1.3, inference_ids=inference_ids)
    assert (
        _run(
            container,
            {"constraints": "model_quality_constraints.json"},
            analysis_type="MODEL_QUALITY",
            problem_type="Regression",
        )
        == 0
    )
    report = container.result()
    assert report["quality"]["coverage"]["share"] == 1.0
    assert {one["analysis"] for one in report["violations"]} == {"model_quality"}
    assert "mae" in container.result("statistics.json")["regression_metrics"]
    assert "mae" in container.result("constraints.json")["regression_constraints"]
    entry = container.result("constraint_violations.json")["violations"][0]
    assert (entry["metric_name"], entry["constraint_check_type"]) == ("mae", "GreaterThanThreshold")


def test_model_quality_with_somebody_elses_constraints(container: Container) -> None:
    """A customer's file does not name columns: those of the requests are taken."""
    _merged(container, dearer=1.3)
    limit = {"threshold": 3000.0, "comparison_operator": "GreaterThanThreshold", "additional_properties": None}
    constraints = {"version": 0.0, "regression_constraints": {"mae": limit}}
    assert _run(container, {"constraints": constraints}, analysis_type="MODEL_QUALITY", problem_type="Regression") == 0
    report = container.result()
    assert [one["subject"] for one in report["violations"]] == ["mae"]
    assert report["rows"] == 300


def test_data_quality_with_somebody_elses_baseline(container: Container) -> None:
    """Model Monitor orders a row as answer, then inputs; so do the features of its baseline."""
    ours = container.base / "made"
    write_baseline(ours, monitored_model())
    documents: dict[str, str | dict[str, Any]] = {}
    for name in FOLDERS:
        document = json.loads((ours / f"{name}.json").read_text())
        del document["monitored_model"]
        documents[name] = document
    write_window(container.window, cars(1000, seed=5, power=180), labelled=False)
    assert _run(container, documents) == 0
    report = container.result()
    assert report["health"]["wrong_columns"] == 0
    assert {one["subject"] for one in report["violations"]} == {"power", "prediction"}


def test_bias_with_clarifys_constraints(container: Container) -> None:
    """A bias schedule hands over Clarify's configuration; that and its analysis.json are enough."""
    _merged(container, dearer=1.0)
    config = container.base / "processing" / "input" / "config" / "analysis_config.json"
    config.parent.mkdir(parents=True)
    facet = {"name_or_index": "make", "value_or_threshold": ["audi"]}
    config.write_text(json.dumps({"facet": [facet], "label_values_or_threshold": [30000], "methods": {}}))
    assert _run(container, {"constraints": "bias.json"}) == 0
    report = container.result()
    assert {metric["facet_value"] for metric in report["bias"]} == {"audi"}
    assert report["quality"] is None


def test_attributions_without_the_model_are_an_answer(container: Container) -> None:
    """An explainability schedule has no model artifact, only a shadow endpoint that is not used here."""
    write_window(container.window, cars(200, seed=5), labelled=False)
    config = container.base / "processing" / "input" / "config" / "analysis_config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"methods": {"shap": {}}}))
    explained = {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"power": 1.0}}}}}
    assert _run(container, {"constraints": explained}) == 0
    report = container.result()
    assert report["verdict"] == "insufficient_data"
    assert "attributions" in report["attribution"]["reason"]
