"""The environment of a monitoring container: Model Monitor's contract, and what ours knows beyond it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
Must not read files. Paths below /opt/ml lie below ML_BASE_DIR if that is set, so that a job runs anywhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from drift_monitor.drift.policy import AlarmPolicy, parse_policy
from drift_monitor.errors import SettingsError
from drift_monitor.job.request import parse_analyses, parse_window
from drift_monitor.monitored_model import ProblemType
from drift_monitor.results import Subject, Window

_ML = "/opt/ml"


class DatasetFormat(StrEnum):
    """What `dataset_source` holds: events of Data Capture, or tables."""

    CAPTURE = "capture"
    TABLE = "table"


_FORMATS = {
    "sagemakercapturejson": DatasetFormat.CAPTURE,
    "csv": DatasetFormat.TABLE,
    "json": DatasetFormat.TABLE,
    "parquet": DatasetFormat.TABLE,
}


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """One job. `analyses` and `policy` are None where the caller's other files decide.

    `prediction` renames the model's answer.
    """

    base: Path
    format: DatasetFormat
    source: Path
    output: Path
    subject: Subject
    window: Window | None
    analyses: frozenset[str] | None
    statistics: Path | None
    constraints: Path | None
    model: Path | None
    labelled: Path | None
    publish_metrics: bool
    problem_type: ProblemType | None
    prediction: str | None
    policy: AlarmPolicy | None

    @property
    def message_file(self) -> Path:
        """SageMaker shows its text as the ExitMessage."""
        return self.base / "output" / "message"

    @property
    def metrics_file(self) -> Path:
        """SageMaker publishes these metrics if a monitoring schedule started the job."""
        return self.base / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl"

    @property
    def analysis_config(self) -> Path:
        """Clarify's configuration, which bias and explainability schedules hand over."""
        return self.base / "processing" / "input" / "config" / "analysis_config.json"


def job_base(environment: Mapping[str, str]) -> Path:
    """What stands for /opt/ml."""
    return Path(environment.get("ML_BASE_DIR") or _ML)


def parse_settings(environment: Mapping[str, str]) -> JobSettings:
    """The settings of a job; raises SettingsError naming the variable that cannot be used."""
    names = _Environment(environment)
    start, end = names.optional("start_time"), names.optional("end_time")
    analyses = names.optional("analyses")
    model_quality = names.optional("analysis_type") == "MODEL_QUALITY"
    problem_type = names.optional("problem_type")
    return JobSettings(
        base=job_base(environment),
        format=_format(names.optional("dataset_format")),
        source=names.path("dataset_source") or _missing("dataset_source"),
        output=names.path("output_path") or _missing("output_path"),
        subject=Subject(
            monitor=names.optional("sagemaker_monitoring_schedule_name") or "monitor",
            endpoint=names.optional("sagemaker_endpoint_name"),
            variant=names.optional("variant_name"),
            model_package_arn=names.optional("model_package_arn"),
        ),
        window=parse_window(start, end) if start and end else None,
        analyses=parse_analyses(analyses) if analyses else frozenset({"model_quality"}) if model_quality else None,
        statistics=names.path("baseline_statistics"),
        constraints=names.path("baseline_constraints"),
        model=names.path("model_path"),
        labelled=names.path("labelled_path"),
        publish_metrics=(names.optional("publish_cloudwatch_metrics") or "").lower() == "enabled",
        problem_type=_problem_type(problem_type) if problem_type else None,
        prediction=names.optional("inference_attribute"),
        policy=_policy(names.optional("alarm_policy")),
    )


@dataclass(frozen=True)
class _Environment:
    values: Mapping[str, str]

    def optional(self, name: str) -> str | None:
        return self.values.get(name) or None

    def path(self, name: str) -> Path | None:
        given = self.optional(name)
        if given is None:
            return None
        path = Path(given)
        return job_base(self.values) / path.relative_to(_ML) if path.is_relative_to(_ML) else path


def _missing(name: str) -> Path:
    raise SettingsError(f"the environment variable {name} is not set; the job's definition should name the folder")


def _format(text: str | None) -> DatasetFormat:
    """Of `dataset_format`, one key says it; spelled in capitals by the API of job definitions."""
    if text is None:
        return DatasetFormat.CAPTURE
    try:
        value = json.loads(text)
        name = next(iter(value)).lower()
        return _FORMATS[name]
    except (ValueError, TypeError, KeyError, StopIteration, AttributeError):
        raise SettingsError(
            f'dataset_format is {text}, but can be {{"sagemakerCaptureJson": ...}}, {{"csv": ...}}, '
            '{"json": ...} or {"parquet": ...}'
        ) from None


def _policy(text: str | None) -> AlarmPolicy | None:
    if text is None:
        return None
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise SettingsError(f"alarm_policy is {text}, but should be a JSON object of the alarm policy's settings")
    return parse_policy(given)


def _problem_type(text: str) -> ProblemType:
    try:
        return ProblemType(text)
    except ValueError:
        raise SettingsError(f"problem_type is {text!r}, but can be {', '.join(ProblemType)}") from None
