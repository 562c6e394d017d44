"""The acts in their order, and what each hands to the next.

Every act takes what it needs and returns a chapter, so that another one can stand between two of them.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from demo.canary import release_newer
from demo.cars import Car, cars_of_year, catalogue_cars, catalogue_years
from demo.chapters import Chapter
from demo.deployed import Deployed
from demo.errors import DemoError
from demo.first_release import release_first
from demo.monitored import Judged, MonitoredProduction
from demo.rollback import release_bad
from demo.rollout import Rollouts
from demo.summary import Evidence
from demo.timing import Timing
from demo.traffic import TrafficHistory
from demo.traffic_picture import draw_traffic
from demo.training import Training
from releases.registry import version_of
from sagemaker_pipelines.car_prices.batches import parse_years
from sagemaker_pipelines.errors import PipelinesError

_CARS_OF_EACH_YEAR = 25
# The years whose cars callers ask for while the first model is live: the loop learns from them.
_NEWER_YEARS = 3
_NEWER_CARS_OF_EACH_YEAR = 300
# During later releases they ask for cars of the newest of those, and of two years that no model knows.
_LATER_YEARS = 2
_WINDOWS = 2


class Until(StrEnum):
    """Where the demo ends."""

    APPROVAL = "approval"
    PRODUCTION = "production"
    END = "end"


@dataclass(frozen=True)
class ModelYears:
    """The first delivery as the batches command takes it, and the newest year in it."""

    first_delivery: str
    newest: int

    @classmethod
    def parse(cls, text: str, *, until: Until) -> "ModelYears":
        """Raises DemoError if the catalogue has too few years left for what is to follow."""
        try:
            newest, last = max(parse_years(text)), catalogue_years()[-1]
        except PipelinesError as error:
            raise DemoError(str(error)) from None
        needed = {Until.APPROVAL: 0, Until.PRODUCTION: 1, Until.END: _NEWER_YEARS + _LATER_YEARS}[until]
        if newest + needed > last:
            raise DemoError(
                f"after the model year {newest} the catalogue has {max(last - newest, 0)} more, and the demo needs "
                f"{needed}: choose --years that end with {last - needed} at the latest, or --until approval"
            )
        return cls(text, newest)

    @property
    def newer(self) -> range:
        """The years that follow the first delivery, and that the second model learns from."""
        return range(self.newest + 1, self.newest + 1 + _NEWER_YEARS)

    def newer_cars(self) -> list[Car]:
        """Cars of those years, the years mixed."""
        return [car for year in self.newer for car in cars_of_year(year)[:_NEWER_CARS_OF_EACH_YEAR]]

    def traffic(self) -> tuple[Car, ...]:
        """The cars that callers ask for during later releases."""
        last = self.newer[-1]
        return catalogue_cars(range(last, last + _LATER_YEARS + 1), each=_CARS_OF_EACH_YEAR)


@dataclass
class Story:
    """One run of all acts on a deployed app. `chapters` grows with each release."""

    deployed: Deployed
    years: ModelYears
    timing: Timing
    chapters: list[Chapter] = field(default_factory=list)
    watched: list[Judged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.history = TrafficHistory(self.deployed)
        self._training = Training(self.deployed)

    def train(self, years: str) -> Evidence:
        """Train by uploading model years, in whose place anything may stand that ends with a registered model."""
        self.timing.begin("data", f"model years {years} go into the lake; the ingest Lambda checks them")
        execution = self._training.upload(years)
        self.timing.begin("training", "the SageMaker pipeline, step by step")
        return self._training.follow(execution)

    def first_release(self, evidence: Evidence) -> None:
        """Second act."""
        self.timing.begin("release", "a person approves; staging, verification, production, verification, record")
        (car,) = catalogue_cars(self.years.newer[:1], each=1)
        model = f"trained on {self.years.first_delivery}"
        self.chapters.append(release_first(self.deployed, evidence, model=model, car=car))
        self.history.changes(releasing=self.chapters[-1].version)

    def monitored(self) -> Evidence:
        """Third act: the second model, which nobody asked for but the monitors."""
        self.timing.begin("monitoring", "callers ask for newer cars; the monitors judge their requests")
        production = MonitoredProduction(self.deployed)
        production.subscribe_approver()
        print(f"   cars of {self.years.newest}, as in training:")
        self.watched.append(production.judge([production.ask(cars_of_year(self.years.newest))], monitor="inputs"))
        cars = self.years.newer_cars()
        windows = []
        for part in range(_WINDOWS):
            print(f"   cars of {self.years.newer[0]} to {self.years.newer[-1]}, window {part + 1}:")
            windows.append(production.ask(cars[part::_WINDOWS]))
            self.watched.append(production.judge(windows[-1:], monitor="inputs"))
        self.timing.begin("retraining", "real prices arrive; the loop trains by itself on what was asked and answered")
        known = self._training.known()
        production.learn_prices(windows)
        self.watched.append(production.judge(windows, monitor="outcomes"))
        evidence = self._training.follow(self._training.started(known))
        print(f"   the approver has mail: {production.mail('waits for approval')}", flush=True)
        return evidence

    def newer_model(self, evidence: Evidence, *, live: str) -> None:
        """Fourth act; the model is live afterwards."""
        self.timing.begin("canary", "a person approves; the newer model is released while callers use the endpoint")
        model = f"trained by the loop on production data of {self.years.newer[0]} to {self.years.newer[-1]}, too"
        self.chapters.append(release_newer(self._rollouts, evidence, live=live, model=model))

    def bad_model(self, *, live: str) -> None:
        """Last act."""
        self.timing.begin("bad model", "registered by hand, better on the holdout, and blind to newer cars")
        holdout = [car for car in self.years.newer_cars() if car.year == self.years.newer[-1]]
        self.chapters.append(release_bad(self._rollouts, live=live, holdout=holdout))

    def errors(self, *, before: str, after: str) -> list[tuple[str, float]]:
        """Mean absolute error in percent: before the drift, during it, and of both versions on the cars after it."""
        cars = self._rollouts.cars
        first = self.chapters[0].evaluation["regression_metrics"]["mape"]["value"]
        years = f"{cars[0].year} to {cars[-1].year}"
        return [
            (f"before: version 1 on cars of {self.years.newest}", first),
            ("during: version 1 on newer cars, found by the monitor", self.watched[-1].figure("mape")),
            (f"after: version 1 would be, on cars of {years}", self._rollouts.error_percent(before)),
            (f"after: version {version_of(after)} is, on the same cars", self._rollouts.error_percent(after)),
        ]

    def draw(self) -> Path:
        """Write the picture of the traffic; its path."""
        path = self.deployed.folder / "evidence" / "traffic.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        changes = self.history.changes(releasing=self.chapters[-1].version)
        path.write_text(draw_traffic(changes, self.chapters), encoding="utf-8")
        return path.resolve()

    @cached_property
    def _rollouts(self) -> Rollouts:
        return Rollouts(self.deployed, self.years.traffic(), self.history)
