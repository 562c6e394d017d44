"""A release while callers use the endpoint, and what they see of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from demo import artifacts
from demo.attribution import KnownPredictions
from demo.cars import Car
from demo.deployed import Deployed
from demo.load import Call, Figures, SteadyLoad, Target, summarize
from demo.release import Release, Released
from demo.traffic import Change, TrafficHistory
from releases.registry import version_of

# Far below what the local cloud can answer on two cores, and enough for a canary of a tenth to show.
_REQUESTS_PER_SECOND = 40.0


@dataclass(frozen=True)
class Observed:
    """A release as its callers saw it. `answered`: successful and failed calls by the version they came to."""

    released: Released
    calls: Sequence[Call]
    answered: Mapping[str | None, int]

    @property
    def figures(self) -> Figures:
        """All calls together."""
        return summarize(self.calls)

    @property
    def unexplained(self) -> int:
        """Calls that none of the versions known answers like this; not one is expected."""
        return self.answered.get(None, 0)


@dataclass
class Rollouts:
    """Releases under load on one deployed app; all get the same traffic: these cars."""

    deployed: Deployed
    cars: tuple[Car, ...]
    history: TrafficHistory
    _predictions: dict[str, Sequence[float | None]] = field(default_factory=dict)

    def meet(self, package_arn: str) -> None:
        """Compute what a version predicts for the traffic, so that its answers can be recognized."""
        model = artifacts.download(self.deployed, package_arn)
        self._predictions[version_of(package_arn)] = artifacts.predictions(model, self.cars)

    def error_percent(self, package_arn: str) -> float:
        """Mean absolute error in percent of a version that was met, over the cars of the traffic."""
        pairs = zip(self.cars, self._predictions[version_of(package_arn)], strict=True)
        errors = [abs(predicted - car.price) / car.price for car, predicted in pairs if predicted is not None]
        return 100 * sum(errors) / len(errors)

    def run(self, package_arn: str, *, live: str, why: str) -> Observed:
        """Release a version under load while `live` serves (both ARNs); whether that works is a result."""
        versions = [version_of(live), version_of(package_arn)]
        for arn in (live, package_arn):
            if version_of(arn) not in self._predictions:
                self.meet(arn)
        known = KnownPredictions({version: self._predictions[version] for version in versions})
        target = Target.from_environment(self.deployed.environment, self.deployed.names.production_endpoint)
        load = SteadyLoad(target, [car.body for car in self.cars], rate=_REQUESTS_PER_SECOND)
        view = _PhaseView(self.history, known, versions, load.calls)
        with load.running():
            view.look()
            released = Release(self.deployed).run(package_arn, why=why, look=view.look)
        view.finish()
        return Observed(released, load.calls, known.count(load.calls))


class _PhaseView:
    """Prints a line for each phase of the traffic when it is over. `versions` are the old one and the new one."""

    def __init__(
        self, history: TrafficHistory, known: KnownPredictions, versions: Sequence[str], calls: Sequence[Call]
    ) -> None:
        self._history = history
        self._known = known
        self._old, self._new = versions
        self._calls = calls
        self._phase: Change | None = None

    def look(self) -> None:
        """Print what has ended since the last look."""
        for change in self._history.changes(releasing=self._new):
            if self._phase is None or change.moment > self._phase.moment:
                if self._phase is not None and change.share != self._phase.share:
                    self._show(until=change.moment)
                if self._phase is None or change.share != self._phase.share:
                    self._phase = change

    def finish(self) -> None:
        """Print the last phase."""
        self._show(until=math.inf)

    def _show(self, *, until: float) -> None:
        phase = self._phase
        if phase is None:
            return
        calls = [call for call in list(self._calls) if phase.moment <= call.sent < until]
        if not calls:
            return
        share = phase.share.get(self._new, 0.0)
        # Of calls that reach over the end of the phase nobody knows in which one they were routed.
        answered = self._known.count([call for call in calls if call.sent + call.latency < until])
        measured = answered[self._new] / (answered[self._old] + answered[self._new] or 1)
        figures = summarize(calls)
        print(
            f"     traffic on version {self._new}: {share:4.0%} (measured {measured:5.1%})   "
            f"{figures.requests:4} requests, {figures.failures} failed, "
            f"p50 {figures.p50 * 1000:.0f} ms, p99 {figures.p99 * 1000:.0f} ms",
            flush=True,
        )
