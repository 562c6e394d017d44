"""Reads what a metric alarm watches, period by period on the scaled clock, and tells which state follows.

Periods end with the minute (ten seconds for shorter ones), as on AWS; minutes are multiplied by the clock's scale. An
alarm is evaluated once for each of these ends. Changing the alarm and telling anybody is the caller's work.
"""

import math
from collections.abc import Mapping

from local_cloud.clock import Clock
from local_cloud.cloudwatch import evaluation
from local_cloud.cloudwatch.alarm import Alarm, AlarmState, MetricCondition
from local_cloud.cloudwatch.expressions import as_series
from local_cloud.cloudwatch.metric_plan import MetricQuery
from local_cloud.cloudwatch.metrics import MetricStore
from local_cloud.cloudwatch.reasons import Evaluated, reason, reason_data
from local_cloud.cloudwatch.statistics import Summary, percentile_rank, statistic

_MINUTE, _SHORT_STEP = 60, 10
_SHORTEST_STEP_SECONDS = 0.05
"""Below this the evaluation would be nothing but noise of the scheduler."""
_SAMPLES_BEYOND_PERCENTILE = 10


class Evaluator:
    """Metric alarms against a store of metrics. Not thread-safe: the caller holds its lock."""

    def __init__(self, *, metrics: MetricStore, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._evaluated: dict[str, float] = {}

    def step(self, condition: MetricCondition) -> float:
        """Real seconds between two evaluations of an alarm."""
        return max(_step_period(condition.plan.period) * self._clock.scale, _SHORTEST_STEP_SECONDS)

    def next_state(self, alarm: Alarm, condition: MetricCondition) -> AlarmState | None:
        """The state that follows if a period has ended since the last evaluation and it differs; None otherwise.

        Raises ExpressionError if the alarm's metric math cannot be computed.
        """
        now, step = self._clock.now(), self.step(condition)
        end = math.floor(now.timestamp() / step) * step
        if end <= self._evaluated.get(alarm.arn, -math.inf):
            return None
        self._evaluated[alarm.arn] = end
        evaluated, enough = self._read(condition, end=end, width=step * self._steps(condition))
        if condition.needs_enough_samples and not enough:
            return None
        verdict = evaluation.evaluate(evaluated.values, condition.threshold)
        if verdict.state is None or verdict.state is alarm.state.value:
            return None
        explicit = "DatapointsToAlarm" in alarm.settings
        return AlarmState(
            value=verdict.state,
            reason=reason(verdict, evaluated, threshold=condition.threshold, explicit=explicit),
            reason_data=reason_data(condition, evaluated, verdict, settings=alarm.settings, now=now),
            updated=now,
            transitioned=now,
        )

    def hold(self, alarm: Alarm, condition: MetricCondition) -> None:
        """Leave the state of an alarm, set by hand, for one whole step at least."""
        step = self.step(condition)
        self._evaluated[alarm.arn] = (math.floor(self._clock.now().timestamp() / step) + 1) * step

    def forget(self, alarm: Alarm) -> None:
        """Evaluate an alarm again as soon as possible: it is new, changed, or gone."""
        self._evaluated.pop(alarm.arn, None)

    def clear(self) -> None:
        """Forget all alarms."""
        self._evaluated.clear()

    def _steps(self, condition: MetricCondition) -> int:
        return condition.plan.period // _step_period(condition.plan.period)

    def _read(self, condition: MetricCondition, *, end: float, width: float) -> tuple[Evaluated, bool]:
        """The evaluation range, and whether its newest datapoint has samples enough for its percentile."""
        count = condition.threshold.evaluation_range
        starts = [end - (count - index) * width for index in range(count)]
        enough = True
        counts: dict[float, float] = {}

        def read(query: MetricQuery) -> Mapping[float, float]:
            nonlocal enough
            summaries = self._metrics.windows(query.key, end=end, width=width, count=count, unit=query.unit)
            present = {start: part for start, part in zip(starts, summaries, strict=True) if part is not None}
            counts.update((start, part.count) for start, part in present.items())
            enough = enough and _enough(list(present.values()), query.statistic)
            values = {start: statistic(part, query.statistic) for start, part in present.items()}
            return {start: value for start, value in values.items() if value is not None}

        returned = condition.plan.returned[0]
        values = condition.plan.values([returned], read=read, timeline=starts)
        series = as_series(values[returned], starts)
        known_counts = counts if len(condition.plan.queries) == 1 else {}
        evaluated = Evaluated(starts, [series.get(start) for start in starts], [known_counts.get(s) for s in starts])
        return evaluated, enough


def _step_period(period: int) -> int:
    return _MINUTE if period % _MINUTE == 0 else _SHORT_STEP


def _enough(summaries: list[Summary], name: str) -> bool:
    """Whether a percentile has ten samples beyond it; any other statistic has always enough.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    rank = percentile_rank(name)
    if rank is None or not summaries or rank in (0, 100):
        return True
    beyond = (100 - rank if rank >= 50 else rank) / 100
    return summaries[-1].count >= _SAMPLES_BEYOND_PERCENTILE / beyond
