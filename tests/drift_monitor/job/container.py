"""A monitoring container on a temporary folder: its environment, its run, and what it leaves."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drift_monitor.files.baseline_folder import write_baseline
from drift_monitor.job.run import run_job
from drift_monitor.monitored_model import MonitoredModel
from tests.drift_monitor.sold_cars import monitored_model

ALL = "data_quality,attribution,model_quality,bias"


@dataclass(frozen=True)
class Container:
    """What stands for /opt/ml."""

    base: Path

    @property
    def window(self) -> Path:
        """The input with the window's files."""
        return self.base / "processing" / "window"

    def baseline(self, model: MonitoredModel | None = None) -> Path:
        """The input with the baseline, written."""
        folder = self.base / "processing" / "baseline"
        write_baseline(folder, model or monitored_model())
        return folder

    def environment(self, **changes: str | None) -> dict[str, str]:
        """What our pipeline sets; None leaves a variable out."""
        given = {
            "ML_BASE_DIR": str(self.base),
            "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
            "dataset_source": "/opt/ml/processing/window",
            "output_path": "/opt/ml/processing/result",
            "publish_cloudwatch_metrics": "Enabled",
            "baseline_statistics": "/opt/ml/processing/baseline/statistics.json",
            "baseline_constraints": "/opt/ml/processing/baseline/constraints.json",
            "start_time": "2026-11-26T12:00:00Z",
            "end_time": "2026-11-26T13:00:00Z",
            "sagemaker_endpoint_name": "prices",
            "sagemaker_monitoring_schedule_name": "outcomes",
            "analyses": ALL,
            "model_package_arn": "arn:aws:sagemaker:eu-west-1:111122223333:model-package/cars/3",
            "variant_name": "AllTraffic",
            "model_path": "/opt/ml/processing/model/model.tar.gz",
            "labelled_path": "/opt/ml/processing/labelled",
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def run(self, **changes: str | None) -> int:
        """The exit status."""
        return run_job(self.environment(**changes))

    @property
    def message(self) -> str:
        """What SageMaker shows as the ExitMessage."""
        return (self.base / "output" / "message").read_text()

    @property
    def failure(self) -> str:
        """What SageMaker shows as the FailureReason."""
        return (self.base / "output" / "failure").read_text()

    def result(self, name: str = "monitor_report.json") -> dict[str, Any]:
        """A file of the output."""
        document: dict[str, Any] = json.loads((self.base / "processing" / "result" / name).read_text())
        return document

    def labelled(self) -> list[Path]:
        """Files with labelled rows."""
        return sorted((self.base / "processing" / "labelled").rglob("*.csv"))
