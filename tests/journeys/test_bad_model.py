"""A model that passes every check and fails on real traffic: sent back by its own alarm, while callers are answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.bad_candidate import register_bad_candidate
from demo.cars import Car
from demo.rollout import Observed, Rollouts
from demo.traffic import Change, TrafficHistory
from releases.registry import version_of
from tests.journeys.assemblies import unhurried_assembly
from tests.journeys.deployed_app import csv_of, deploy_app
from tests.journeys.releases import Releases
from tests.running_cloud import start_cloud
from tests.sagemaker_pipelines.cars import car_year

_NEWEST = 2010
_INPUTS = 14
# Of cloud time, and no longer than the alarm takes: a busy machine may be late with requests, metrics, evaluations.
_CANARY_SECONDS = 3000


def _cars(year: int) -> tuple[Car, ...]:
    rows = car_year(year).rows
    return tuple(Car(year, row[0], tuple(row[:_INPUTS]), float(row[_INPUTS])) for row in rows)


@dataclass(frozen=True)
class SentBack:
    """What is left when the release of the bad version has ended; ARNs of both versions."""

    releases: Releases
    good: str
    bad: str
    config_before: str
    traffic: tuple[Car, ...]
    observed: Observed
    history: list[Change]


@pytest.fixture(scope="module")
def sent_back(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentBack]:
    """A good model in production, and a bad one whose release has been tried under load."""
    folder = Path(tmp_path_factory.mktemp("bad-model"))
    with start_cloud(folder) as cloud:
        app = deploy_app(cloud, assembly=unhurried_assembly(folder, canary_seconds=_CANARY_SECONDS))
        good = app.package(app.train("history.csv", csv_of(*range(2001, _NEWEST + 1))))["ModelPackageArn"]
        releases, deployed = Releases(app), app.for_demo()
        releases.bring_live(good)
        history = TrafficHistory(deployed)
        history.changes(releasing=version_of(good))
        before = releases.live_config()
        traffic = tuple(car for year in range(_NEWEST, _NEWEST + 3) for car in _cars(year))
        bad = register_bad_candidate(deployed, live=good, holdout=_cars(_NEWEST))
        observed = Rollouts(deployed, traffic, history).run(bad, live=good, why="better on the holdout")
        changes = history.changes(releasing=version_of(bad))
        yield SentBack(releases, good, bad, before, traffic, observed, changes)


def test_its_own_errors_roll_it_back_and_the_release_fails_with_that_reason(sent_back: SentBack) -> None:
    """It passes staging, the 5xx alarm goes off by the requests' metrics, and the pipeline and the record say so.

    It is the deployment that fails, or the verification after it if the alarm is over by then: SageMaker is silent.
    """
    released = sent_back.observed.released
    record, end = released.record, sent_back.history[-1]
    cloudwatch = sent_back.releases.app.cloud.client("cloudwatch")

    assert released.status == record["result"] == "Failed"
    assert record["verification"]["VerifyStaging"]
    assert record["failed"]["stage"] in ("Production", "VerifyProduction")
    assert "rolled back" in record["failed"]["message"]
    assert (record["to"], record["live"]) == (sent_back.bad, sent_back.good)
    alarms = (item["AlarmName"] for item in cloudwatch.describe_alarms()["MetricAlarms"])
    (alarm,) = [name for name in alarms if name in end.note]
    assert "ServerErrors" in alarm
    updates = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert any("Threshold Crossed" in item["HistoryData"] for item in updates)


def test_every_caller_is_answered_by_one_of_the_two_versions(sent_back: SentBack) -> None:
    """Only the bad version fails, and only on cars that are too new for it; no answer is of anything else."""
    observed, bad = sent_back.observed, version_of(sent_back.bad)
    failed = [call for call in observed.calls if not call.succeeded]

    assert observed.unexplained == 0
    assert set(observed.answered) == {version_of(sent_back.good), bad}
    assert 0 < len(failed) <= observed.answered[bad]
    assert {call.status for call in failed} == {424}
    assert {sent_back.traffic[call.record].year for call in failed} <= {_NEWEST + 1, _NEWEST + 2}


def test_the_old_version_serves_all_along(sent_back: SentBack) -> None:
    """It has nine tenths of the traffic during the canary and all of it before and after; it is live at the end."""
    good, bad = version_of(sent_back.good), version_of(sent_back.bad)
    shares = [change.share for change in sent_back.history if change.share]

    assert [share for place, share in enumerate(shares) if place == 0 or share != shares[place - 1]] == [
        {good: 1.0},
        {good: 0.9, bad: 0.1},
        {good: 1.0},
    ]
    assert sent_back.releases.live_config() == sent_back.config_before
    assert sent_back.releases.invoke(sent_back.traffic[1].body.decode()) > 1000
