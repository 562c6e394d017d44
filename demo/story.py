"""The acts in their order, and what each hands to the next.

Every act takes what it needs and returns a chapter, so that another one can stand between two of them.
"""

from collections.abc import Callable
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
from demo.rollback import release_bad
from demo.rollout import Rollouts
from demo.summary import Evidence
from demo.timing import Timing
from demo.traffic import TrafficHistory
from demo.traffic_picture import draw_traffic
from demo.training import Training
from sagemaker_pipelines.car_prices.batches import parse_years
from sagemaker_pipelines.errors import PipelinesError

_CARS_OF_EACH_YEAR = 25
# Callers ask for cars of the year of the next delivery, and of two later ones.
_LATER_YEARS = 2


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
        needed = {Until.APPROVAL: 0, Until.PRODUCTION: 1, Until.END: 1 + _LATER_YEARS}[until]
        if newest + needed > last:
            raise DemoError(
                f"after the model year {newest} the catalogue has {max(last - newest, 0)} more, and the demo needs "
                f"{needed}: choose --years that end with {last - needed} at the latest, or --until approval"
            )
        return cls(text, newest)

    @property
    def next(self) -> int:
        """The year of the next delivery."""
        return self.newest + 1

    def traffic(self) -> tuple[Car, ...]:
        """The cars that callers ask for."""
        return catalogue_cars(range(self.next, self.next + _LATER_YEARS + 1), each=_CARS_OF_EACH_YEAR)


@dataclass
class Story:
    """One run of all acts on a deployed app. `chapters` grows with each release."""

    deployed: Deployed
    years: ModelYears
    timing: Timing
    chapters: list[Chapter] = field(default_factory=list)

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
        (car,) = catalogue_cars([self.years.next], each=1)
        model = f"trained on {self.years.first_delivery}"
        self.chapters.append(release_first(self.deployed, evidence, model=model, car=car))
        self.history.changes(releasing=self.chapters[-1].version)

    def newer_model(self, train: Callable[[], Evidence], *, live: str) -> Evidence:
        """Third act; `train` gives the next model. What it gave is live afterwards."""
        evidence = train()
        self.timing.begin("canary", "the newer model is released while callers use the endpoint")
        model = f"trained up to {self.years.next}"
        self.chapters.append(release_newer(self._rollouts, evidence, live=live, model=model))
        return evidence

    def bad_model(self, *, live: str) -> None:
        """Last act."""
        self.timing.begin("bad model", "registered by hand, better on the holdout, and blind to newer cars")
        holdout = cars_of_year(self.years.next)
        self.chapters.append(release_bad(self._rollouts, live=live, holdout=holdout))

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
