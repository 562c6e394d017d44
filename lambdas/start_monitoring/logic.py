"""Starts the analysis of one window against the baseline of the version that is live.

Repeatable: the same window of the same version is analysed once. Must not judge anything, and must not use a baseline
that does not belong to the live version.
"""

import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lambdas.shared.champion import ChampionParameter, LiveVersion
from lambdas.shared.events import Event, EventBus
from lambdas.shared.packages import ModelPackage, describe_package
from lambdas.start_monitoring.files import MonitoredFiles, Runs
from lambdas.start_monitoring.request import Monitor, Window, iso

# After a longer gap, what was found before it says nothing about now.
_REACH = 4


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the function works with, made once per cold start. `sagemaker` is a boto3 client.

    `policy` is the alarm policy that the job gets; `labelled_uri` is where ingestion takes labelled requests from.
    """

    sagemaker: Any
    champion: ChampionParameter
    files: MonitoredFiles
    bus: EventBus
    pipeline: str
    runs_prefix: str
    labelled_uri: str
    policy: Mapping[str, Any]
    subject: Mapping[str, str]

    def start(self, monitor: Monitor, window: Window, *, now: datetime) -> dict[str, str]:
        """Start the analysis; {"outcome": "started", "execution", "folder"}, or "skipped" or "already" with "reason".

        A repetition is "started" as well, with the execution of the first start.
        """
        live = self.champion.live()
        if live is None:
            return self._skip(monitor, window, "no version has been released yet")
        # Earlier requests were answered by another version, which has a baseline of its own.
        window = replace(window, start=max(window.start, live.since.astimezone(UTC).replace(microsecond=0)))
        if window.start >= window.end:
            return self._skip(monitor, window, f"{live.arn} has been live since {iso(live.since)} only")
        package = describe_package(self.sagemaker, live.arn)
        if package is None or package.model_url is None or package.baseline_uri is None:
            return self._skip(
                monitor,
                window,
                f"{live.arn} has no baseline (DriftCheckBaselines of its model package), so there is nothing to "
                "compare with; train it with the project's pipeline, or release a version that has one",
            )
        return self._start(monitor, window, live, package, now=now)

    def _start(
        self, monitor: Monitor, window: Window, live: LiveVersion, package: ModelPackage, *, now: datetime
    ) -> dict[str, str]:
        runs = Runs(self.files.bucket, f"{self.runs_prefix}{monitor.name}/{package.version}/")
        folder, earlier = runs.folder(window), int(self.policy["windows"]) - 1
        request = {
            "monitor": monitor.name,
            "analyses": list(monitor.analyses),
            "window": window.document(),
            "endpoint": self.files.endpoint,
            "variant": self.files.variant,
            "modelPackageArn": live.arn,
            "policy": self.policy,
            "history": runs.history(window, count=earlier, since=window.end - _REACH * earlier * monitor.length),
        }
        # The first start decides what the window is: a repetition must not find more files than it did.
        if not self.files.bucket.create_json(f"{folder}request.json", request):
            known = self.files.bucket.read_json(f"{folder}request.json")
            if known and known.value["window"] != window.document():
                reason = f"the window that ends then has been judged from {known.value['window']['start']} on"
                return {"outcome": "already", "reason": reason, "folder": self.files.bucket.uri(folder)}
        self.files.bucket.create_json(f"{folder}files.manifest", self._manifest(monitor, window, folder, now=now))
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline,
            PipelineExecutionDisplayName=f"{monitor.name}-{window.end:%Y%m%dT%H%M%SZ}",
            PipelineExecutionDescription=f"Monitor {monitor.name}: {iso(window.start)} to {iso(window.end)}",
            PipelineParameters=[
                {"Name": name, "Value": value}
                for name, value in self._parameters(monitor, window, folder, package).items()
            ],
            ClientRequestToken=hashlib.sha256(f"{self.pipeline}\n{folder}".encode()).hexdigest(),
        )
        return {
            "outcome": "started",
            "execution": str(answer["PipelineExecutionArn"]),
            "folder": self.files.bucket.uri(folder),
        }

    def _manifest(self, monitor: Monitor, window: Window, folder: str, *, now: datetime) -> list[Any]:
        """SageMaker's manifest of the window's files: below one prefix, and never empty.

        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
        """
        keys = [f"{folder}request.json", *self.files.captured(window)]
        keys += self.files.labels(window, until=now) if monitor.needs_labels else []
        root = f"{posixpath.commonpath([posixpath.dirname(key) for key in keys])}/"
        return [{"prefix": self.files.bucket.uri(root)}, *(key.removeprefix(root) for key in keys)]

    def _parameters(self, monitor: Monitor, window: Window, folder: str, package: ModelPackage) -> dict[str, str]:
        return {
            "Monitor": monitor.name,
            "Analyses": ",".join(monitor.analyses),
            "WindowStart": iso(window.start),
            "WindowEnd": iso(window.end),
            "ModelPackageArn": package.arn,
            "EndpointName": self.files.endpoint,
            "VariantName": self.files.variant,
            "WindowFiles": self.files.bucket.uri(f"{folder}files.manifest"),
            "BaselineUri": str(package.baseline_uri),
            "ModelUri": str(package.model_url),
            "OutputUri": self.files.bucket.uri(f"{folder}result"),
            "LabelledUri": self.labelled_uri,
        }

    def _skip(self, monitor: Monitor, window: Window, reason: str) -> dict[str, str]:
        detail = {**self.subject, "monitor": monitor.name, "endpoint": self.files.endpoint, "reason": reason}
        times = {"windowStart": iso(window.start), "windowEnd": iso(window.end)}
        self.bus.send(Event("Monitoring Skipped", {**detail, **times}))
        return {"outcome": "skipped", "reason": reason}
