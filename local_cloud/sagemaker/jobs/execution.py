"""A job from its first second to its end: image, inputs, process, logs, outputs; everything with the job's own role.

It moves a `Job` through its phases and must not know whether the job processes or trains: its plan says so.
"""

import logging
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.errors import LocalCloudError
from local_cloud.images import ImageStore, LocalImage
from local_cloud.processes import ProcessEnd, ProcessResult, ProcessSpec, ProcessTable
from local_cloud.sagemaker.image_access import pull_refusal
from local_cloud.sagemaker.jobs.archive import write_archive
from local_cloud.sagemaker.jobs.container_metrics import FOLDER, send_metrics
from local_cloud.sagemaker.jobs.environment import command, environment
from local_cloud.sagemaker.jobs.failures import JobFailure, crash, out_of_memory, role_failure
from local_cloud.sagemaker.jobs.instances import instance_size
from local_cloud.sagemaker.jobs.job import Job, JobEnd, JobStatus
from local_cloud.sagemaker.jobs.layout import JobFolder
from local_cloud.sagemaker.jobs.logs import LogStream
from local_cloud.sagemaker.jobs.metrics import MetricReader
from local_cloud.sagemaker.jobs.plan import S3Destination
from local_cloud.sagemaker.jobs.transfer import Transfer

PRINCIPAL = "sagemaker.amazonaws.com"
_SESSION = "SageMaker"
_TAIL_LINES = 8
_TIMEOUT_GRACE_SECONDS = 5.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What running a job takes from the rest of the local cloud. `directory` holds one folder for each job."""

    clients: Clients
    clock: Clock
    processes: ProcessTable
    images: ImageStore
    directory: Path


class JobExecution:
    """Runs one job, in the thread that calls `run`."""

    def __init__(self, job: Job, tools: Tools) -> None:
        self._job = job
        self._identity = job.identity
        self._plan = job.plan
        self._tools = tools
        self._folder = JobFolder(tools.directory / job.identity.account / job.identity.region / job.identity.name)
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._metrics = MetricReader(job.plan.program.metrics, tools.clock)

    def run(self) -> None:
        """Bring the job to its end. The folder of a job that failed is kept, to be looked at."""
        try:
            end = self._perform()
        except JobFailure as failure:
            end = self._failed(str(failure))
        except (ClientError, BotoCoreError, LocalCloudError) as error:
            end = self._failed(f"ClientError: {error}")
        except Exception as error:
            # A thread has no caller: whatever breaks in here must end the job, as InternalServerError does on AWS.
            _logger.exception("job %s failed", self._identity.arn)
            end = self._failed(f"InternalServerError: {type(error).__name__}: {error}")
        if end.status is JobStatus.COMPLETED:
            self._folder.remove()
        self._job.finish(end)

    def _perform(self) -> JobEnd:
        image = self._image()
        self._job.enter("Downloading", "Downloading input data")
        self._folder.lay_out(folders=self._plan.folders, configuration=self._plan.configuration)
        transfer = Transfer(
            self._client("s3"), self._identity.role_arn, self._identity.region, kms_key_id=self._plan.kms_key_id
        )
        transfer.download([(source, self._folder.path(source.local_path)) for source in self._plan.sources])
        if self._job.stopping:
            return self._stopped("Stopped", None)
        self._job.enter("Training", "Image download completed. The job is in progress.")
        result = self._execute(image)
        end = self._judge(result)
        if end.status is JobStatus.COMPLETED or self._plan.keeps_output_when_stopped:
            self._job.enter("Uploading", "Uploading generated output")
            transfer.upload([self._prepared(destination) for destination in self._plan.destinations])
            self._send_metrics()
        return end

    def _image(self) -> LocalImage:
        """The image, if the role may pull it."""
        uri = self._plan.program.image_uri
        if refusal := pull_refusal(uri, ecr=lambda region: self._client("ecr", region=region)):
            raise role_failure(refusal, role_arn=self._identity.role_arn, doing=f"Pulling the image {uri}") from refusal
        return self._tools.images.resolve(uri)

    def _execute(self, image: LocalImage) -> ProcessResult:
        identity, tools = self._identity, self._tools
        stream = f"{identity.name}/algo-1-{int(tools.clock.now().timestamp())}"
        log = LogStream(self._client("logs"), group=self._plan.log_group, stream=stream, clock=tools.clock)

        def read(line: str) -> None:
            self._tail.append(line)
            self._metrics.read(line)
            log.write(line)

        try:
            process = tools.processes.start(self._specification(image), on_line=read)
            self._job.attach(process)
            result = process.wait()
        finally:
            log.close()
        if log.error is not None:
            raise role_failure(log.error, role_arn=identity.role_arn, doing=f"Logging to {self._plan.log_group}")
        return result

    def _specification(self, image: LocalImage) -> ProcessSpec:
        identity, clients = self._identity, self._tools.clients
        credentials = clients.role_credentials(
            identity.role_arn, principal=PRINCIPAL, session_name=_SESSION, region=identity.region
        )
        return ProcessSpec(
            arguments=command(self._plan.program, image, self._folder),
            environment=environment(
                identity,
                self._plan.program,
                image,
                folder=self._folder,
                credentials=credentials,
                endpoint_url=clients.endpoint_url,
            ),
            working_directory=image.working_directory,
            timeout_seconds=self._plan.maximum_seconds,
            memory_bytes=instance_size(self._plan.instance_type).memory_bytes,
            timeout_grace_seconds=_TIMEOUT_GRACE_SECONDS,
        )

    def _judge(self, result: ProcessResult) -> JobEnd:
        if result.end is ProcessEnd.OUT_OF_MEMORY:
            size = instance_size(self._plan.instance_type)
            raise out_of_memory(self._plan.instance_type, size.memory_bytes)
        if result.end is ProcessEnd.TIMED_OUT:
            limit = f"The job exceeded its maximum runtime of {self._plan.maximum_seconds:g} seconds."
            return self._stopped("MaxRuntimeExceeded", limit)
        if result.end is ProcessEnd.STOPPED:
            return self._stopped("Stopped", None)
        if result.exit_code != 0:
            raise crash(result.exit_code, self._folder.output_text("failure") or "\n".join(self._tail))
        return JobEnd(
            JobStatus.COMPLETED,
            "Completed",
            "The job completed",
            exit_message=self._folder.output_text("message") or None,
            metrics=tuple(self._metrics.final()),
        )

    def _send_metrics(self) -> None:
        namespace = self._plan.metrics_namespace
        if namespace is None:
            return
        try:
            send_metrics(self._client("cloudwatch"), self._folder.base / FOLDER, namespace=namespace)
        except ClientError as error:
            doing = f"Sending the container's metrics to {namespace}"
            raise role_failure(error, role_arn=self._identity.role_arn, doing=doing) from error

    def _stopped(self, secondary: str, reason: str | None) -> JobEnd:
        return JobEnd(
            JobStatus.STOPPED,
            secondary,
            reason or "The job was stopped",
            failure_reason=reason,
            metrics=tuple(self._metrics.final()),
        )

    def _failed(self, reason: str) -> JobEnd:
        message = self._folder.output_text("message") or None
        return JobEnd(JobStatus.FAILED, "Failed", reason, failure_reason=reason[:1024], exit_message=message)

    def _prepared(self, destination: S3Destination) -> tuple[S3Destination, Path]:
        folder = self._folder.path(destination.local_path)
        if not destination.archive:
            return destination, folder
        packed = self._folder.temporary / destination.uri.rsplit("/", 1)[-1]
        # An empty folder has no files to upload, so no archive either.
        return destination, packed if write_archive(folder, packed) else folder

    def _client(self, service: str, *, region: str | None = None) -> Any:
        identity = self._identity
        try:
            return self._tools.clients.as_role(
                service,
                role_arn=identity.role_arn,
                principal=PRINCIPAL,
                session_name=_SESSION,
                region=region or identity.region,
            )
        except ClientError as error:
            raise role_failure(error, role_arn=identity.role_arn, doing="Assuming the role") from error
