"""Which window is judged, against what, from which files; once, and never without a baseline."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from moto import mock_aws

from lambdas.shared.errors import MalformedEventError
from lambdas.start_monitoring import handler
from lambdas.start_monitoring.request import Window, parse_request
from sagemaker_pipelines.compile import compiled_definition
from tests.lambdas.monitoring_world import ARTIFACTS, ENDPOINT, MODELS, RUNS, VERSION, MonitoringWorld, monitors
from tests.lambdas.schemas import check_event

NOW = datetime(2026, 3, 2, 12, 10, 30, tzinfo=UTC)
INPUTS = {"monitor": "inputs", "scheduledTime": "2026-03-02T12:10:30Z"}
OUTCOMES = {"monitor": "outcomes", "scheduledTime": "2026-03-04T00:00:00Z"}


@pytest.fixture
def world() -> Iterator[MonitoringWorld]:
    """A version with a baseline has been live for months."""
    with mock_aws():
        made = MonitoringWorld()
        made.release()
        yield made


def _window(event: dict[str, Any]) -> Window:
    return parse_request(event, monitors())[1]


def test_a_scheduled_window_rests_until_its_files_can_be_there() -> None:
    """Requests are in S3 ten minutes later, labels after the delay of the settings; the windows leave no gap."""
    first, second = (_window({"monitor": "inputs", "scheduledTime": f"2026-03-02T{at}Z"}) for at in ("12:10", "13:10"))

    assert first.document() == {"start": "2026-03-02T11:00:00Z", "end": "2026-03-02T12:00:00Z"}
    assert second.start == first.end
    assert _window(OUTCOMES).document() == {"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"}


def test_a_person_names_a_window_in_any_time_zone() -> None:
    """A time with an offset is the moment that it names, and one without is UTC."""
    window = _window({"monitor": "inputs", "windowStart": "2026-03-02T05:45:00+05:45", "windowEnd": "2026-03-02T01:00"})

    assert window.document() == {"start": "2026-03-02T00:00:00Z", "end": "2026-03-02T01:00:00Z"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "there is no monitor None; there are: inputs, outcomes"),
        ({"monitor": "inputs"}, "scheduledTime should be a time such as"),
        ({"monitor": "inputs", "windowStart": "yesterday", "windowEnd": "today"}, "windowStart should be a time"),
        ({"monitor": "inputs", "windowStart": "2026-03-02", "windowEnd": "2026-03-02"}, "should be before windowEnd"),
    ],
)
def test_a_malformed_request_is_dropped_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, event: dict[str, Any], message: str
) -> None:
    """No retry could mend it."""
    monkeypatch.setattr(handler, "monitors", monitors)
    with pytest.raises(MalformedEventError, match=message):
        parse_request(event, monitors())
    assert handler.handle(event, None)["outcome"] == "dropped"


def test_the_live_version_is_judged_against_its_own_baseline(world: MonitoringWorld) -> None:
    """Everything that the job needs is a parameter of the pipeline, and nothing of it can change under its name."""
    world.capture("2026/03/02/11")

    answer = world.start(INPUTS, now=NOW)

    folder = f"s3://{ARTIFACTS}/{RUNS}inputs/3/20260302T120000Z/"
    assert (answer["outcome"], answer["folder"]) == ("started", folder)
    assert world.started() == {
        "Monitor": "inputs",
        "Analyses": "data_quality,attribution",
        "WindowStart": "2026-03-02T11:00:00Z",
        "WindowEnd": "2026-03-02T12:00:00Z",
        "ModelPackageArn": VERSION,
        "EndpointName": ENDPOINT,
        "VariantName": "champion",
        "WindowFiles": f"{folder}files.manifest",
        "BaselineUri": f"{MODELS}/baseline/",
        "ModelUri": f"{MODELS}/model.tar.gz",
        "OutputUri": f"{folder}result",
        "LabelledUri": "s3://lake/raw/cars/captured",
    }
    definition = json.loads(compiled_definition("monitoring"))
    assert {one["Name"] for one in definition["Parameters"] if "DefaultValue" not in one} == set(world.started())
    request = world.json(f"{folder}request.json")
    assert request["window"] == {"start": "2026-03-02T11:00:00Z", "end": "2026-03-02T12:00:00Z"}
    assert (request["policy"]["windows"], request["history"]) == (3, [])


def test_requests_from_before_the_release_are_left_to_the_version_that_answered_them(world: MonitoringWorld) -> None:
    """A window that a release divides begins with the release, whatever zone its time is told in."""
    nepal = timezone(timedelta(hours=5, minutes=45))
    world.live_since = datetime(2026, 3, 2, 11, 20, 5, 900_000, tzinfo=UTC).astimezone(nepal)
    kept = world.capture("2026/03/02/11")

    folder = world.start(INPUTS, now=NOW)["folder"]

    assert world.started()["WindowStart"] == "2026-03-02T11:20:05Z"
    assert kept.removeprefix("monitoring/") in world.json(f"{folder}files.manifest")


def test_a_version_that_went_live_after_the_window_is_not_judged_by_it(world: MonitoringWorld) -> None:
    """Nothing is started, and an event says why."""
    world.live_since = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    assert "since 2026-03-02T12:00:00Z only" in world.start(INPUTS, now=NOW)["reason"]
    assert world.starts == {}
    check_event("cd4ml.monitoring", "Monitoring Skipped", *world.events.of("Monitoring Skipped"))


def test_the_manifest_lists_the_windows_files_below_one_prefix(world: MonitoringWorld) -> None:
    """SageMaker copies exactly these: the request itself, and the hours of the window, but no neighbours."""
    world.capture("2026/03/02/10")
    inside = world.capture("2026/03/02/11")
    world.capture("2026/03/02/12")
    world.put(f"monitoring/capture/{ENDPOINT}-staging/champion/2026/03/02/11/1.jsonl")
    world.put(f"monitoring/capture/{ENDPOINT}/shadow/2026/03/02/11/1.jsonl")
    world.label("2026/03/02/11")

    prefix, *names = world.json(world.start(INPUTS, now=NOW)["folder"] + "files.manifest")

    assert prefix == {"prefix": f"s3://{ARTIFACTS}/monitoring/"}
    assert [f"monitoring/{name}" for name in names] == [f"{RUNS}inputs/3/20260302T120000Z/request.json", inside]


def test_a_window_that_ends_within_an_hour_has_that_hours_files(world: MonitoringWorld) -> None:
    """Files are kept by hours, and the job leaves out what is outside."""
    files = [world.capture(f"2026/03/02/{hour}") for hour in ("10", "11")]
    event = {"monitor": "inputs", "windowStart": "2026-03-02T10:30", "windowEnd": "2026-03-02T11:30"}

    _, _, *names = world.json(world.start(event, now=NOW)["folder"] + "files.manifest")

    assert [f"monitoring/{name}" for name in names] == files


def test_an_hour_without_traffic_has_a_manifest_all_the_same(world: MonitoringWorld) -> None:
    """SageMaker fails a job with an empty input, and silence is no failure of the monitor."""
    folder = world.start(INPUTS, now=NOW)["folder"]

    assert world.json(f"{folder}files.manifest") == [{"prefix": folder}, "request.json"]


def test_labels_count_from_the_window_until_now(world: MonitoringWorld) -> None:
    """They carry the hour of their arrival, which is after the request's; earlier ones are for other requests."""
    world.label("2026/03/01/23")
    wanted = {world.label("2026/03/02/00"), world.label("2026/03/03/15"), world.label("2026/03/04/00")}

    folder = world.start(OUTCOMES, now=datetime(2026, 3, 4, 0, 5, tzinfo=UTC))["folder"]

    _, _, *names = world.json(f"{folder}files.manifest")
    assert {f"monitoring/{name}" for name in names} == wanted


def test_the_last_windows_findings_travel_with_the_request(world: MonitoringWorld) -> None:
    """As many as the policy looks back on, oldest first; none later, of another version or before a long gap."""
    reports = {"01T110000Z": "before a gap", "02T080000Z": "earlier", "02T090000Z": "a", "02T110000Z": "b"}
    for end, feature in ((f"202603{when}", feature) for when, feature in reports.items()):
        world.report(end, {"window": {"end": end}, "findings": {"judged": [feature], "stood_out": []}})
    world.report("20260302T100000Z", "no JSON")
    world.report("20260302T130000Z", {"findings": {"judged": ["later"], "stood_out": []}})
    world.put(f"{RUNS}inputs/2/20260302T110000Z/result/monitor_report.json", "{}")
    world.windows = 4

    request = world.json(world.start(INPUTS, now=NOW)["folder"] + "request.json")

    assert [one["judged"] for one in request["history"]] == [["a"], ["b"]]
    assert set(request["history"][0]) == {"window", "judged", "stood_out"}


def test_the_same_window_twice_is_one_run_of_the_same_files(world: MonitoringWorld) -> None:
    """What the first start found stays, also if more has arrived by the time of the repetition."""
    first = world.start(INPUTS, now=NOW)
    world.capture("2026/03/02/11")

    assert world.start(INPUTS, now=NOW + timedelta(hours=1)) == first
    assert len(world.starts) == 1
    assert len(world.json(first["folder"] + "files.manifest")) == 2


def test_another_window_with_the_same_end_does_not_pass_for_the_first(world: MonitoringWorld) -> None:
    """A person hears that it was judged already, and from when on."""
    world.start(INPUTS, now=NOW)
    longer = {"monitor": "inputs", "windowStart": "2026-03-02T00:00", "windowEnd": "2026-03-02T12:00"}

    answer = world.start(longer, now=NOW)

    assert (answer["outcome"], len(world.starts)) == ("already", 1)
    assert "from 2026-03-02T11:00:00Z on" in answer["reason"]


@pytest.mark.parametrize(("live", "reason"), [(False, "no version has been released"), (True, "has no baseline")])
def test_without_a_live_version_or_its_baseline_nothing_is_judged(live: bool, reason: str) -> None:
    """The answer and an event say why; nothing else stands in for a baseline."""
    with mock_aws():
        world = MonitoringWorld(with_baseline=False)
        if live:
            world.release()

        answer = world.start(INPUTS, now=NOW)

        assert answer["outcome"] == "skipped"
        assert reason in answer["reason"]
        assert world.starts == {}
        check_event("cd4ml.monitoring", "Monitoring Skipped", *world.events.of("Monitoring Skipped"))


def test_a_long_history_is_not_read_to_find_the_last_windows(world: MonitoringWorld) -> None:
    """Only keys of the last windows are listed, however many runs there have been."""
    listed: list[dict[str, Any]] = []
    world.s3.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **_: listed.append(dict(params))
    )
    world.start(INPUTS, now=NOW)

    (history,) = (request for request in listed if request["Prefix"].startswith(RUNS))
    assert history["StartAfter"] == f"{RUNS}inputs/3/20260302T040000Z/"


@pytest.mark.usefixtures("world")
def test_the_handler_answers_from_its_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it logs names the monitor, the window and the outcome."""
    settings = {
        "PROJECT": "cars",
        "STAGE": "dev",
        "MONITORING_PIPELINE": "p",
        "CHAMPION_PARAMETER": "/none/yet",
        "ARTIFACT_BUCKET": ARTIFACTS,
        "CAPTURE_PREFIX": "c/",
        "GROUND_TRUTH_PREFIX": "g/",
        "RUNS_PREFIX": RUNS,
        "LABELLED_URI": "s3://lake/raw/cars/captured",
        "ENDPOINT_NAME": ENDPOINT,
        "VARIANT_NAME": "champion",
        "MONITORS": json.dumps({"inputs": {"analyses": ["bias"], "window_minutes": 60, "label_delay_minutes": 60}}),
        "POLICY": '{"windows": 3}',
        "DELIVERY_MINUTES": "10",
        "EVENT_BUS": "default",
        "AWS_DEFAULT_REGION": "us-east-1",
        "TZ": "Asia/Kathmandu",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    for made in (handler.monitors, handler.monitoring):
        made.cache_clear()
    try:
        assert handler.handle(INPUTS, None)["outcome"] == "skipped"
    finally:
        monkeypatch.undo()
        time.tzset()
        for made in (handler.monitors, handler.monitoring):
            made.cache_clear()
    line = json.loads(capsys.readouterr().out)
    assert line["window"] == {"start": "2026-03-02T10:10:00Z", "end": "2026-03-02T11:10:00Z"}
    assert "monitor inputs: skipped" in line["message"]
