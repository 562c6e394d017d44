"""What step caching compares, and durations."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.sagemaker.pipelines.caching import CachedResult, StepCache, cache_key
from local_cloud.sagemaker.pipelines.durations import parse_duration
from local_cloud.sagemaker.pipelines.steps import CacheConfig, Step, StepType
from tests.local_cloud.sagemaker.pipelines.definitions import processing

STEP = Step("A", StepType.PROCESSING, {}, frozenset(), cache=CacheConfig(True, timedelta(days=30)))
ARGUMENTS: dict[str, Any] = processing("A", inputs={"in": "s3://bucket/data"})["Arguments"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def changed(**members: Any) -> dict[str, Any]:
    """The arguments with members replaced."""
    return copy.deepcopy(ARGUMENTS) | members


def test_labels_and_output_places_do_not_matter() -> None:
    """Job name, tags, experiment and output URI leave the key as it is."""
    moved = changed(ProcessingJobName="other", Tags=[{"Key": "a", "Value": "b"}], ExperimentConfig={"TrialName": "t"})
    moved["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = "s3://elsewhere"

    assert cache_key("arn", STEP, moved) == cache_key("arn", STEP, ARGUMENTS)


@pytest.mark.parametrize(
    "arguments",
    [changed(Environment={"A": "1"}), changed(RoleArn="arn:other"), changed(ProcessingInputs=[])],
    ids=["environment", "role", "inputs"],
)
def test_everything_else_matters(arguments: dict[str, Any]) -> None:
    """A change of environment, role or inputs is another key."""
    assert cache_key("arn", STEP, arguments) != cache_key("arn", STEP, ARGUMENTS)


def test_other_pipelines_and_steps_do_not_share() -> None:
    """The key holds the pipeline, the step's name and its type."""
    renamed = Step("B", StepType.PROCESSING, {}, frozenset())

    assert len({cache_key("p", STEP, {}), cache_key("q", STEP, {}), cache_key("p", renamed, {})}) == 3


def test_results_expire() -> None:
    """A result older than ExpireAfter is not used."""
    cache = StepCache()
    cache.keep("key", CachedResult("arn", NOW, {}, {}))

    assert cache.find("key", STEP, NOW + timedelta(days=30)) is not None
    assert cache.find("key", STEP, NOW + timedelta(days=30, seconds=1)) is None


def test_steps_without_caching_find_nothing() -> None:
    """Caching that is absent or switched off finds no result."""
    cache = StepCache()
    cache.keep("key", CachedResult("arn", NOW, {}, {}))
    off = Step("A", StepType.PROCESSING, {}, frozenset(), cache=CacheConfig(False, None))

    assert cache.find("key", off, NOW) is None
    assert cache.find("key", Step("A", StepType.PROCESSING, {}, frozenset()), NOW) is None


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P30D", timedelta(days=30)),
        ("PT12H", timedelta(hours=12)),
        ("p1dt30m", timedelta(days=1, minutes=30)),
        ("30d", timedelta(days=30)),
        ("T5m", timedelta(minutes=5)),
        ("P1M", timedelta(days=30)),
        ("P2W", timedelta(days=14)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    """ISO 8601 durations, also as loosely as AWS's examples write them."""
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "30", "soon"])
def test_bad_durations(text: str) -> None:
    """Anything else is an error."""
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_duration(text)
