"""From drift to a better candidate on the deployed app: newer cars, a silent window, two alarms, labels, a training."""

import csv
import io
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from demo.cars import Car, cars_of_year
from sagemaker_pipelines.car_prices.settings import input_columns, label
from tests.journeys.deployed_app import deploy_app
from tests.journeys.retraining import APPROVERS, Loop
from tests.journeys.test_release import Releases
from tests.lambdas.schemas import check_event
from tests.running_cloud import start_cloud, wait_for

_TRAINED = range(2001, 2013)
_NEWER = range(2013, 2016)
_CAPTURE_LIMIT_SECONDS = 20
_ANALYSIS_LIMIT_SECONDS = 60
Event = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """A span of time on full seconds, and the cars whose prices were asked for in it; by inference id."""

    start: datetime
    end: datetime
    cars: dict[str, Car]

    def request(self, monitor: str) -> dict[str, str]:
        """What the function that starts monitors takes."""
        return {"monitor": monitor, "windowStart": f"{self.start:%FT%TZ}", "windowEnd": f"{self.end:%FT%TZ}"}


class Production:
    """The live endpoint as its callers and its monitors see it."""

    def __init__(self, releases: Releases) -> None:
        self.app, self._releases = releases.app, releases
        self._asked = 0

    def ask(self, cars: Sequence[Car]) -> Window:
        """Ask for every car's price; gives the window when all of it has been captured."""
        start, named = _next_second(), {}
        for car in cars:
            self._asked += 1
            inference = f"request-{self._asked}"
            self._releases.runtime.invoke_endpoint(
                EndpointName=self._releases.endpoint, ContentType="text/csv", Body=car.body, InferenceId=inference
            )
            named[inference] = car
        wait_for(lambda: self._captured() >= self._asked, seconds=_CAPTURE_LIMIT_SECONDS, what="the requests in S3")
        return Window(start, _next_second(), named)

    def judge(self, window: Window, *, monitor: str) -> Event:
        """Let a monitor judge a window; the event with its verdict."""
        before = {event["id"] for event in self._verdicts()}
        answer = self.app.cloud.client("lambda").invoke(
            FunctionName=self.app.outputs["CarPricesStartMonitoringFunctionName"],
            Payload=json.dumps(window.request(monitor)),
        )
        started = json.load(answer["Payload"])
        assert started["outcome"] == "started", started
        ended = self.app.finished(started["execution"])
        assert ended["PipelineExecutionStatus"] == "Succeeded", self.app.steps(started["execution"])
        (verdict,) = wait_for(
            lambda: [event for event in self._verdicts() if event["id"] not in before],
            seconds=_ANALYSIS_LIMIT_SECONDS,
            what=f"the verdict of {monitor}",
        )
        check_event(verdict["source"], verdict["detail-type"], verdict["detail"])
        return verdict

    def learn_prices(self, window: Window) -> None:
        """Write the real price of every car of a window down as ground truth."""
        lines = [
            {
                "groundTruthData": {"data": f"{car.price:.0f}", "encoding": "CSV"},
                "eventMetadata": {"eventId": inference},
                "eventVersion": "0",
            }
            for inference, car in window.cars.items()
        ]
        key = (
            f"monitoring/ground-truth/{self._releases.endpoint}/{datetime.now(UTC):%Y/%m/%d/%H}/{window.end:%M%S}.jsonl"
        )
        body = "".join(f"{json.dumps(line)}\n" for line in lines)
        self.app.cloud.client("s3").put_object(Bucket=self.app.outputs["ArtifactBucketName"], Key=key, Body=body)

    def _verdicts(self) -> list[Event]:
        return [*self.app.events("Violation Found"), *self.app.events("Monitoring Completed")]

    def _captured(self) -> int:
        s3, bucket = self.app.cloud.client("s3"), self.app.outputs["ArtifactBucketName"]
        prefix = f"monitoring/capture/{self._releases.endpoint}/"
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        return sum(s3.get_object(Bucket=bucket, Key=key)["Body"].read().count(b"\n") for key in keys)


@dataclass(frozen=True)
class Story:
    """What is left at the end: the verdicts in order, the loop, and the package that was live all along."""

    loop: Loop
    live: str
    same: Event
    newer: list[Event]
    outcomes: Event
    windows: list[Window]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A model of the years to 2012 is live; it is asked for cars of 2012, then for newer ones, whose prices follow."""
    with start_cloud(Path(tmp_path_factory.mktemp("monitoring"))) as cloud:
        app = deploy_app(cloud)
        app.upload("history.csv", _csv([car for year in _TRAINED for car in cars_of_year(year)]))
        wait_for(app.executions, seconds=30, what="the upload to start training")
        (execution,) = app.executions()
        app.finished(execution)
        live, releases = app.package(execution)["ModelPackageArn"], Releases(app)
        release = releases.approve(live)
        releases.approve_production()
        assert releases.finished(release) == "Succeeded"
        production, loop = Production(releases), Loop(app)
        same = production.judge(production.ask(cars_of_year(_TRAINED[-1])), monitor="inputs")
        newer = [car for year in _NEWER for car in cars_of_year(year)[:300]]
        windows = [production.ask(newer[half::2]) for half in range(2)]
        verdicts = [production.judge(window, monitor="inputs") for window in windows]
        for window in windows:
            production.learn_prices(window)
        whole = Window(windows[0].start, windows[-1].end, windows[0].cars | windows[-1].cars)
        outcomes = production.judge(whole, monitor="outcomes")
        yield Story(loop, live, same, verdicts, outcomes, windows)


def test_cars_as_in_training_are_no_alarm(story: Story) -> None:
    """The last model year that the live version knows is judged and found to be the same."""
    assert story.same["detail-type"] == "Monitoring Completed"
    assert story.same["detail"]["rows"] == len(cars_of_year(_TRAINED[-1]))


def test_newer_cars_are_drift_once_they_have_come_twice(story: Story) -> None:
    """One window of stronger, thriftier cars may be chance; after the second the event names what has moved.

    Names that the live version has never seen are told at once: no second window makes them better known.
    """
    first, second = (verdict["detail"] for verdict in story.newer)

    assert "highway_mpg" not in first.get("features", [])
    assert "windows in a row" not in first.get("summary", "")
    assert story.newer[1]["detail-type"] == "Violation Found"
    assert "highway_mpg" in second["features"]
    assert "for 2 windows in a row" in second["summary"]
    assert second["modelPackageArn"] == story.live
    assert b"<html" in story.loop.app.object(second["report"]).lower()


def test_real_prices_show_a_worse_model_and_bring_a_better_candidate(story: Story) -> None:
    """The labelled requests become data by the same door as any upload; the candidate beats the champion on them."""
    loop, app = story.loop, story.loop.app

    assert story.outcomes["detail-type"] == "Violation Found"
    assert "model_quality" in story.outcomes["detail"]["kinds"]
    mail = loop.mails(APPROVERS, about="version 2 waits for approval")[0]
    training, _ = app.executions()
    newest = app.package(training)
    evaluation = json.loads(app.object(newest["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    champion = evaluation["champion_comparison"]["champion"]["mae"]
    assert newest["CustomerMetadataProperties"]["champion_model_package_arn"] == story.live
    assert newest["ModelApprovalStatus"] == "PendingManualApproval"
    assert evaluation["regression_metrics"]["mae"]["value"] < champion
    assert newest["ModelPackageArn"] in mail.text
    (labelled,) = [key for key in app.keys("raw/") if "/captured/outcomes-" in key]
    assert app.read(labelled).count(b"\n") - 1 == sum(len(window.cars) for window in story.windows)


def test_nothing_of_it_was_refused(story: Story) -> None:
    """Functions, schedules and jobs got by with the rights that the templates give them."""
    assert story.loop.app.cloud.page("status")["refused"] == []


def _csv(cars: Sequence[Car]) -> bytes:
    """Cars with their prices, as a file for the lake."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*input_columns(), label()])
    writer.writerows([*car.values, f"{car.price:.0f}"] for car in cars)
    return text.getvalue().encode()


def _next_second() -> datetime:
    """The next full second, once it has come: SageMaker's times of requests have no smaller parts."""
    moment = math.floor(time.time()) + 1
    wait_for(lambda: time.time() >= moment, seconds=2, what="the next second")
    return datetime.fromtimestamp(moment, UTC)
