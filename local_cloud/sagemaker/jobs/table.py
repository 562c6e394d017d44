"""All jobs of one kind, by account and region: starting, finding, stopping and waiting for them."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.events import SOURCE, detail_of, milliseconds
from local_cloud.sagemaker.jobs.execution import JobExecution, Tools
from local_cloud.sagemaker.jobs.job import RUNNING, Job, JobIdentity, JobState
from local_cloud.sagemaker.jobs.plan import JobPlan
from local_cloud.sagemaker.resources import arn, name_key
from local_cloud.service import RequestContext, ServiceError, invalid
from local_cloud.stores import Partitioned

_LET_GO_SECONDS = 30.0


@dataclass(frozen=True)
class JobKind:
    """What tells processing jobs from training jobs in names and events.

    `tells_phases`: events are sent for every secondary status, not only for every status.
    """

    resource: str
    word: str
    event: str
    tells_phases: bool


class JobTable:
    """Jobs of one kind. `describe` gives a job's Describe answer, which is also the detail of its events."""

    def __init__(
        self, kind: JobKind, *, tools: Tools, events: EventBus, describe: Callable[[Job], dict[str, Any]]
    ) -> None:
        self._kind = kind
        self._tools = tools
        self._events = events
        self._describe = describe
        self._jobs: Partitioned[dict[str, Job]] = Partitioned(dict)
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, context: RequestContext, *, name: str, request: Mapping[str, Any], plan: JobPlan) -> Job:
        """Create a job and run it in a thread of its own. Raises ResourceInUse if the name is taken."""
        identity = JobIdentity(
            account=context.account,
            region=context.region,
            name=name,
            arn=arn(context, self._kind.resource, name),
            role_arn=request["RoleArn"],
            request=request,
            created=self._tools.clock.now(),
        )
        job = Job(identity, plan, clock=self._tools.clock, on_change=self._emit)
        with self._lock:
            if name.lower() in self._jobs.of(context):
                raise ServiceError(
                    "ResourceInUse",
                    f"Job name must be unique within an AWS account and region, and a job with this name already "
                    f"exists ({identity.arn})",
                )
            self._jobs.of(context)[name.lower()] = job
        job.announce()
        thread = threading.Thread(target=self._run, args=(job,), name=identity.name, daemon=True)
        with self._lock:
            thread.start()
            self._threads.add(thread)
        return job

    def find(self, context: RequestContext, name: str) -> Job:
        """The job of that name. Raises ValidationException, as these APIs do (the waiters of botocore expect it)."""
        job = self._jobs.of(context).get(name_key(context, self._kind.resource, name))
        if job is None:
            raise invalid(f"Could not find requested {self._kind.word} job with name: {name}")
        return job

    def exists(self, context: RequestContext, resource_arn: str) -> bool:
        """Whether an ARN is that of a job in here."""
        return name_key(context, self._kind.resource, resource_arn) in self._jobs.of(context)

    def all(self, context: RequestContext) -> list[Job]:
        """The jobs of an account and region, in the order of creation."""
        with self._lock:
            return list(self._jobs.of(context).values())

    def stop(self, context: RequestContext, name: str) -> None:
        """Ask a job to stop. Raises ValidationException if it has ended."""
        job = self.find(context, name)
        if job.state.status not in RUNNING:
            raise invalid(
                f"The request was rejected because the {self._kind.word} job is in status {job.state.status}."
            )
        job.request_stop()

    def abandon_all(self) -> None:
        """Stop all jobs without a word; returns at once."""
        with self._lock:
            jobs = [job for partition in self._jobs for job in partition.values()]
        for job in jobs:
            job.abandon()

    def clear(self) -> None:
        """Stop all jobs without a word, wait until they are gone, and forget them."""
        self.abandon_all()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(_LET_GO_SECONDS)
        self._jobs.clear()

    def _run(self, job: Job) -> None:
        try:
            JobExecution(job, self._tools).run()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _emit(self, job: Job, previous: JobState | None) -> None:
        if previous is not None and previous.status is job.state.status and not self._kind.tells_phases:
            return
        self._events.emit(
            account=job.identity.account,
            region=job.identity.region,
            source=SOURCE,
            detail_type=self._kind.event,
            detail=detail_of(self._describe(job), moment=milliseconds),
            resources=(job.identity.arn,),
        )
