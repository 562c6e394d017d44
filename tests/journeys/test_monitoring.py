"""From drift to a better candidate on the deployed app: newer cars, a silent window, two alarms, labels, a training."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.cars import Car, cars_of_year
from demo.monitored import MonitoredProduction, Window
from sagemaker_pipelines.car_prices.settings import input_columns, label
from tests.journeys.deployed_app import DeployedApp, deploy_app
from tests.journeys.releases import Releases
from tests.journeys.retraining import APPROVERS, Loop
from tests.lambdas.schemas import check_event
from tests.running_cloud import start_cloud
from tests.waiting import wait_for

_TRAINED = range(2001, 2013)
_NEWER = range(2013, 2016)
Event = dict[str, Any]


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
        history = _csv([car for year in _TRAINED for car in cars_of_year(year)])
        live = app.package(app.train("history.csv", history))["ModelPackageArn"]
        Releases(app).bring_live(live)
        production, loop = MonitoredProduction(app.for_demo()), Loop(app)
        same = _verdict(app, production, [production.ask(cars_of_year(_TRAINED[-1]))], monitor="inputs")
        newer = [car for year in _NEWER for car in cars_of_year(year)[:300]]
        windows = [production.ask(newer[half::2]) for half in range(2)]
        verdicts = [_verdict(app, production, [window], monitor="inputs") for window in windows]
        production.learn_prices(windows)
        outcomes = _verdict(app, production, windows, monitor="outcomes")
        yield Story(loop, live, same, verdicts, outcomes, windows)


def _verdict(app: DeployedApp, production: MonitoredProduction, windows: Sequence[Window], *, monitor: str) -> Event:
    """Let a monitor judge the time of these windows; the event with its verdict."""

    def verdicts() -> list[Event]:
        return [*app.events("Violation Found"), *app.events("Monitoring Completed")]

    before = {event["id"] for event in verdicts()}
    production.judge(windows, monitor=monitor)
    (verdict,) = wait_for(
        lambda: [event for event in verdicts() if event["id"] not in before], what=f"the verdict of {monitor}"
    )
    check_event(verdict["source"], verdict["detail-type"], verdict["detail"])
    return verdict


def test_cars_as_in_training_are_no_alarm(story: Story) -> None:
    """The last model year that the live version knows is judged and found to be the same."""
    assert story.same["detail-type"] == "Monitoring Completed"
    assert story.same["detail"]["rows"] == len(cars_of_year(_TRAINED[-1]))


def test_newer_cars_are_drift_once_they_have_come_twice(story: Story) -> None:
    """One window of stronger, thriftier cars, with names that the live version has never seen, may be chance.

    After the second the event names what has moved.
    """
    second = story.newer[1]["detail"]

    assert story.newer[0]["detail-type"] == "Monitoring Completed"
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
    assert f"--model-approval-status Approved --model-package-arn {newest['ModelPackageArn']}" in mail.text
    (figures,) = [line.split()[1:] for line in mail.text.splitlines() if line.startswith("mae")]
    candidate = evaluation["regression_metrics"]["mae"]["value"]
    assert [float(figure.replace(",", "")) for figure in figures] == pytest.approx([candidate, champion], rel=1e-3)
    (report,) = [line.removeprefix("Report: ") for line in mail.text.splitlines() if line.startswith("Report: ")]
    assert b"<html" in app.object(report).lower()
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
