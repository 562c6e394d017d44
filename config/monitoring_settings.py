"""Typed settings of monitoring and of the loop back to training.

Must not know what an analysis does: names are checked against the list of those that exist, no more.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.base import Base, InstanceType

Analysis = Literal["data_quality", "attribution", "model_quality", "bias"]
Share = Annotated[float, Field(gt=0, lt=1)]
_NEEDS_LABELS = {"model_quality", "bias"}
# Model Monitor's schedules run hourly at most: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-schedule-expression.html
_HOUR = 60
_HOURS_OF_A_DAY = 24


class MonitorSettings(Base):
    """One monitor: which analyses, over windows of `window_minutes`, one after another without a gap.

    `label_delay_minutes`: how long a window rests before it is judged, so that labels can arrive; needed by analyses
    that compare with labels.
    """

    analyses: Annotated[tuple[Analysis, ...], Field(min_length=1, strict=False)]
    window_minutes: Annotated[int, Field(ge=5, le=7 * 24 * _HOUR)]
    label_delay_minutes: Annotated[int, Field(ge=0, le=90 * 24 * _HOUR)] = 0

    @model_validator(mode="after")
    def _labels_can_arrive(self) -> Self:
        if not self.label_delay_minutes and _NEEDS_LABELS.intersection(self.analyses):
            raise ValueError(
                "model_quality and bias compare with labels, which arrive later than the request: set "
                "label_delay_minutes"
            )
        return self


class AlarmPolicySettings(Base):
    """When a difference counts: see `drift_monitor.drift.policy`, which reads these names.

    `windows_to_alarm` of the last `windows` must stand out before a feature is a violation.
    """

    false_discovery_rate: Share = 0.01
    effect_floor: Share = 0.05
    minimum_rows: Annotated[int, Field(ge=30, le=1_000_000)] = 100
    windows_to_alarm: Annotated[int, Field(ge=1, le=24)] = 2
    windows: Annotated[int, Field(ge=1, le=24)] = 3

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        if self.windows_to_alarm > self.windows:
            raise ValueError(
                f"{self.windows_to_alarm} of the last {self.windows} windows cannot be: windows_to_alarm may not "
                "exceed windows"
            )
        return self

    def of_one_window(self) -> Self:
        """The policy of a job that is not told what earlier windows said."""
        return self.model_copy(update={"windows_to_alarm": 1, "windows": 1})


class MonitoringSettings(Base):
    """How the live model of each project is watched.

    `engine`: `analyzer` is this project's own, on EventBridge Scheduler; with `model-monitor`, for accounts that still
    have it, schedules of SageMaker Model Monitor run the same analyzer where they can. Without `enabled` nothing runs
    by itself. `delivery_minutes`: how late captured requests may be in S3.
    """

    engine: Literal["analyzer", "model-monitor"] = "analyzer"
    enabled: bool = True
    instance_type: InstanceType = "ml.m5.large"
    delivery_minutes: Annotated[int, Field(ge=0, le=_HOUR)] = 10
    monitors: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,20}$")], MonitorSettings] = Field(
        default={
            "inputs": MonitorSettings(analyses=("data_quality", "attribution"), window_minutes=_HOUR),
            "outcomes": MonitorSettings(
                analyses=("model_quality", "bias"), window_minutes=24 * _HOUR, label_delay_minutes=24 * _HOUR
            ),
        },
        min_length=1,
    )
    policy: AlarmPolicySettings = AlarmPolicySettings()

    @property
    def by_sagemaker(self) -> tuple[str, ...]:
        """Monitors that SageMaker's own schedules run: they hand over neither the model nor when labels are due."""
        if self.engine != "model-monitor" or not self.enabled:
            return ()
        return tuple(name for name, monitor in self.monitors.items() if monitor.analyses == ("data_quality",))

    @model_validator(mode="after")
    def _engine_can(self) -> Self:
        if self.engine != "model-monitor":
            return self
        alone = [one for one in self.monitors.values() if one.analyses == ("data_quality",)]
        if not alone:
            raise ValueError(
                "SageMaker's schedules hand over neither the model nor labels, so they run monitors whose one analysis "
                'is data_quality: give a monitor analyses = ["data_quality"], and the others to a second one'
            )
        if any(_HOURS_OF_A_DAY * _HOUR % one.window_minutes or one.window_minutes % _HOUR for one in alone):
            raise ValueError(
                "Model Monitor runs on full hours, and begins anew every day: window_minutes of a monitor of "
                "data_quality should be 60, 120, 180, 240, 360, 480, 720 or 1440"
            )
        return self


class RetrainingSettings(Base):
    """When the loop trains by itself; it never approves.

    After a training nothing but new data starts another for `cooldown_hours`. `minimum_new_rows`: by how many rows the
    newest snapshot must exceed the one that the live version learned from. `schedule` trains on a calendar, too: a
    cron or rate expression of EventBridge Scheduler. A training that takes longer than `timeout_hours` is given up.
    """

    cooldown_hours: Annotated[int, Field(ge=0, le=24 * 90)] = 24
    minimum_new_rows: Annotated[int, Field(ge=1)] = 50
    schedule: Annotated[str, Field(pattern=r"^(rate|cron)\(.+\)$")] | None = None
    timeout_hours: Annotated[int, Field(ge=1, le=72)] = 6
