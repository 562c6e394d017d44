"""Typed, frozen settings of one stage of the app.

Must not read files, the environment or AWS: `config.loader` turns a stage file into these models, and the stacks
get them by value. Every default is what production wants; a stage file holds differences only.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.base import Base, Days, Email, InstanceType
from config.endpoint_settings import EndpointSettings
from config.monitoring_settings import MonitoringSettings, RetrainingSettings

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
# The least that Athena accepts as a scan limit.
_MINIMUM_SCAN_LIMIT_BYTES = 10_000_000


def _log_retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"CloudWatch Logs keeps logs for one of {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return days


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("each project may be named once only")
    return values


ProjectName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]


class DataLakeSettings(Base):
    """How long the lake keeps what; days."""

    infrequent_access_days: Annotated[int, Field(ge=30, le=36_500)] = 90
    noncurrent_version_days: Days = 365
    quarantine_days: Days = 180
    access_log_days: Days = 365


class AthenaSettings(Base):
    """What one query may cost and how long its result stays."""

    scan_limit_bytes: Annotated[int, Field(ge=_MINIMUM_SCAN_LIMIT_BYTES)] = 10 * 1024**3
    result_days: Days = 30


class TrainingSettings(Base):
    """Machines of the pipeline's jobs, and the one that a registered model is meant for."""

    processing_instance_type: InstanceType = "ml.m5.large"
    training_instance_type: InstanceType = "ml.m5.xlarge"
    inference_instance_type: InstanceType = "ml.m5.large"


class LogSettings(Base):
    """How long function logs stay, and whether they outlive the stack."""

    retention_days: Annotated[int, AfterValidator(_log_retention)] = 180
    removal: Literal["retain", "destroy"] = "retain"


class NotificationSettings(Base):
    """Who hears of failures; without an address the topic exists and has no subscriber."""

    email: Email | None = None


class ReleaseSettings(Base):
    """Who is asked before production, and what a verification allows.

    `latency_budget_ms` is for the 95th percentile over `latency_invocations` requests of one record each.
    """

    approval_email: Email | None = None
    latency_budget_ms: Annotated[int, Field(ge=1, le=60_000)] = 200
    latency_invocations: Annotated[int, Field(ge=20, le=1000)] = 50


class Settings(Base):
    """Everything that may differ between stages.

    `projects` names the folders of `sagemaker_pipelines/` that this stage provisions: a further project is one more
    name. Without `account` and `region` the templates deploy wherever the caller's credentials point.
    """

    stage: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] | None = None
    projects: Annotated[tuple[ProjectName, ...], Field(min_length=1, strict=False), AfterValidator(_distinct)] = (
        "car_prices",
    )
    data_lake: DataLakeSettings = DataLakeSettings()
    athena: AthenaSettings = AthenaSettings()
    training: TrainingSettings = TrainingSettings()
    endpoint: EndpointSettings = EndpointSettings()
    release: ReleaseSettings = ReleaseSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    logs: LogSettings = LogSettings()
    notifications: NotificationSettings = NotificationSettings()
    tags: dict[str, str] = {}
