"""The definition of the monitoring pipeline: one job, in Model Monitor's container contract."""

import json
from typing import Any

import pytest

from drift_monitor.job.settings import parse_settings
from sagemaker_pipelines.compile import compiled_definition


@pytest.fixture
def arguments() -> dict[str, Any]:
    """What the one step asks CreateProcessingJob for."""
    (step,) = json.loads(compiled_definition("monitoring"))["Steps"]
    assert (step["Name"], step["Type"]) == ("Analyze", "Processing")
    # The same window again is judged again: what it is compared with may have been mended.
    assert "CacheConfig" not in step or not step["CacheConfig"]["Enabled"]
    return dict(step["Arguments"])


def test_the_job_has_no_network_and_reads_what_the_manifest_lists(arguments: dict[str, Any]) -> None:
    """SageMaker carries the window, the baseline and the model in, the findings and labelled requests out."""
    inputs = {entry["InputName"]: entry["S3Input"] for entry in arguments["ProcessingInputs"]}
    outputs = {
        entry["OutputName"]: entry["S3Output"]["S3Uri"] for entry in arguments["ProcessingOutputConfig"]["Outputs"]
    }

    assert arguments["NetworkConfig"] == {"EnableNetworkIsolation": True}
    assert {name: (one["S3DataType"], one["S3Uri"]["Get"]) for name, one in inputs.items()} == {
        "window": ("ManifestFile", "Parameters.WindowFiles"),
        "baseline": ("S3Prefix", "Parameters.BaselineUri"),
        "model": ("S3Prefix", "Parameters.ModelUri"),
    }
    assert outputs == {
        "result": {"Get": "Parameters.OutputUri"},
        "labelled": {"Get": "Parameters.LabelledUri"},
    }


def test_the_environment_is_what_the_job_reads(arguments: dict[str, Any]) -> None:
    """Every path lies in an input or output of the job, and every variable is one that the job knows."""
    given = {"Analyses": "bias", "WindowStart": "2026-01-01T00:00:00Z", "WindowEnd": "2026-01-01T01:00:00Z"}
    environment = {
        name: value if isinstance(value, str) else given.get(value["Get"].split(".")[1], value["Get"])
        for name, value in arguments["Environment"].items()
    }

    settings = parse_settings(environment)

    folders = {
        *(entry["S3Input"]["LocalPath"] for entry in arguments["ProcessingInputs"]),
        *(entry["S3Output"]["LocalPath"] for entry in arguments["ProcessingOutputConfig"]["Outputs"]),
    }
    paths = (
        settings.source,
        settings.output,
        settings.statistics,
        settings.constraints,
        settings.model,
        settings.labelled,
    )
    for path in paths:
        assert path is not None
        assert any(str(path).startswith(folder) for folder in folders), path
    assert settings.subject.monitor == "Parameters.Monitor"
    assert settings.publish_metrics
    assert arguments["AppSpecification"]["ContainerEntrypoint"] == ["python", "-m", "drift_monitor.job"]
