"""Starts the executions of monitoring schedules: finds the captured data, merges labels, creates the processing job.

What a run does with the data is the container's business; AWS's own part happens under the job's role.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.errors import LocalCloudError
from local_cloud.events.background import BackgroundWork
from local_cloud.sagemaker.jobs.execution import PRINCIPAL
from local_cloud.sagemaker.jobs.job import Job
from local_cloud.sagemaker.jobs.transfer import split_uri
from local_cloud.sagemaker.monitoring.book import Execution, MonitoringBook, MonitoringSchedule
from local_cloud.sagemaker.monitoring.captures import Captures
from local_cloud.sagemaker.monitoring.job import MonitoringJob
from local_cloud.sagemaker.monitoring.request import Dataset, Occasion, processing_request
from local_cloud.sagemaker.monitoring.windows import Window
from local_cloud.service import RequestContext

NO_DATA = "Job inputs had no data"
_RUNNING = ("Pending", "InProgress", "Stopping")
_THREADS = 2
# As in AWS's own notebooks; its guide spells them in three ways.
_NAMESPACES: Mapping[str | None, str] = {
    kind: f"aws/sagemaker/Endpoints/{name}-metrics"
    for kind, name in (
        (None, "data"),
        ("DataQuality", "data"),
        ("ModelQuality", "model"),
        ("ModelBias", "bias"),
        ("ModelExplainability", "explainability"),
    )
}


class StartJob(Protocol):
    """Creates a processing job from a CreateProcessingJob request; its container's metrics go to a namespace."""

    def __call__(self, context: RequestContext, params: dict[str, Any], *, metrics_namespace: str) -> Job:
        """Raises LocalCloudError or ServiceError for a request that cannot run."""


@dataclass(frozen=True)
class Run:
    """One run that is due: `due` is the real moment, `output_folder` where its results go."""

    schedule: MonitoringSchedule
    job: MonitoringJob
    window: Window
    due: datetime


class Runs:
    """The worker pool between schedules and processing jobs."""

    def __init__(self, *, clients: Clients, clock: Clock, start_job: StartJob) -> None:
        self._clients = clients
        self._clock = clock
        self._start_job = start_job
        self._work = BackgroundWork("monitoring", threads=_THREADS)

    def begin(self, context: RequestContext, book: MonitoringBook, run: Run) -> None:
        """Note the execution and start its job in the background; left out while an earlier one still runs."""
        with book.lock:
            earlier = book.executions.setdefault(run.schedule.name.lower(), [])
            if any(execution.status in _RUNNING for execution in earlier):
                return
            execution = Execution(
                id=secrets.token_hex(12),
                scheduled=run.due,
                created=self._clock.now(),
                endpoint=run.job.endpoint,
                definition=run.job.definition,
                kind=run.job.kind,
            )
            earlier.append(execution)
        self._work.submit(partial(self._start, context, book, run, execution))

    def note_failure(self, book: MonitoringBook, schedule: MonitoringSchedule, due: datetime, reason: str) -> None:
        """An execution that could not even begin."""
        failed = Execution(
            id=secrets.token_hex(12),
            scheduled=due,
            created=self._clock.now(),
            endpoint=None,
            definition=schedule.config.get("MonitoringJobDefinitionName"),
            kind=schedule.config.get("MonitoringType"),
            failure=reason,
        )
        with book.lock:
            book.executions.setdefault(schedule.name.lower(), []).append(failed)

    def reset(self) -> None:
        """Forget what waits."""
        self._work.reset()

    def close(self) -> None:
        """Start nothing more."""
        self._work.close()

    def _start(self, context: RequestContext, book: MonitoringBook, run: Run, execution: Execution) -> None:
        try:
            job = self._create(context, run, execution)
            ended = replace(execution, job=job) if job else replace(execution, failure=NO_DATA)
        except (ClientError, BotoCoreError, LocalCloudError) as error:
            ended = replace(execution, failure=f"ClientError: {error}"[:1024])
        with book.lock:
            runs = book.executions.get(run.schedule.name.lower(), [])
            runs[:] = [ended if known.id == execution.id else known for known in runs]

    def _create(self, context: RequestContext, run: Run, execution: Execution) -> Job | None:
        """The processing job, or None if nothing was captured in the window."""
        job, schedule = run.job, run.schedule
        capture_uri = self._capture_uri(context, job.endpoint)
        s3 = self._clients.as_role(
            "s3", role_arn=job.role_arn, principal=PRINCIPAL, session_name="SageMaker", region=context.region
        )
        datasets = self._datasets(Captures(s3, capture_uri, job.endpoint), run)
        if not datasets:
            return None
        occasion = Occasion(
            job_name=f"model-monitoring-{run.due.astimezone(UTC):%Y%m%d%H%M}-{execution.id}",
            schedule_name=schedule.name,
            schedule_arn=schedule.arn,
            window=run.window,
            capture_uri=split_uri(capture_uri)[1],
            datasets=datasets,
            output_folder=f"{job.output_uri}/{job.endpoint}/{schedule.name}/{self._folder(run.due)}",
        )
        request = processing_request(job, occasion)
        return self._start_job(context, request, metrics_namespace=_NAMESPACES[job.kind])

    def _datasets(self, captures: Captures, run: Run) -> list[Dataset]:
        hours = captures.hours(run.window)
        if not run.job.ground_truth or not hours:
            return hours
        into = f"{run.job.output_uri}/merge/{run.schedule.name}/{self._folder(run.due)}"
        return captures.merged(hours, ground_truth=run.job.ground_truth, window=run.window, into=into)

    def _capture_uri(self, context: RequestContext, endpoint: str) -> str:
        sagemaker = self._clients.system("sagemaker", account=context.account, region=context.region)
        capture = sagemaker.describe_endpoint(EndpointName=endpoint).get("DataCaptureConfig")
        if not capture:
            raise LocalCloudError(
                f"The endpoint {endpoint} captures no data; give its configuration a DataCaptureConfig"
            )
        return str(capture["DestinationS3Uri"])

    def _folder(self, due: datetime) -> str:
        """The hour, as on AWS; on a scaled clock several runs share one, so minutes and seconds follow."""
        moment = due.astimezone(UTC)
        return f"{moment:%Y/%m/%d/%H}" + ("" if self._clock.scale >= 1 else f"/{moment:%M-%S}")
