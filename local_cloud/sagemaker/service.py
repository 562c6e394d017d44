"""SageMaker as the local cloud runs it: jobs, pipelines and the model registry behind one table of operations.

Every request is checked against the constraints of SageMaker's API model first, as AWS does.
"""

from collections.abc import Iterable
from pathlib import Path

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.images import ImageStore
from local_cloud.processes import ProcessTable
from local_cloud.sagemaker.jobs.execution import Tools
from local_cloud.sagemaker.jobs.processing import ProcessingJobs
from local_cloud.sagemaker.jobs.training import TrainingJobs
from local_cloud.sagemaker.monitoring.service import Monitoring
from local_cloud.sagemaker.pipelines.book import PipelineBook
from local_cloud.sagemaker.pipelines.executions import Executions, ExecutionTools
from local_cloud.sagemaker.pipelines.journal import Journal
from local_cloud.sagemaker.pipelines.management import Pipelines
from local_cloud.sagemaker.pipelines.step_runner import job_types
from local_cloud.sagemaker.pipelines.views import ExecutionViews
from local_cloud.sagemaker.registry.groups import ModelPackageGroups
from local_cloud.sagemaker.registry.packages import ModelPackages
from local_cloud.sagemaker.registry.shelf import Shelf
from local_cloud.sagemaker.tags import Tags
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import RequestContext, Service
from local_cloud.stores import Partitioned


class SageMaker:
    """The engine. `directory` is the server's state directory; nothing is written before the first job."""

    def __init__(
        self,
        *,
        clients: Clients,
        clock: Clock,
        events: EventBus,
        processes: ProcessTable,
        images: ImageStore,
        directory: Path,
        timetable: Timetable,
    ) -> None:
        self.journal = Journal(directory / "sagemaker" / "executions.json")
        self._model = ApiModel("sagemaker")
        self._tags = Tags(self._exists)
        self._books: Partitioned[PipelineBook] = Partitioned(PipelineBook)
        self._shelves: Partitioned[Shelf] = Partitioned(Shelf)
        tools = Tools(clients, clock, processes, images, directory / "jobs")
        self._processing = ProcessingJobs(tools=tools, events=events, tags=self._tags)
        self._training = TrainingJobs(tools=tools, events=events, tags=self._tags)
        self._monitoring = Monitoring(
            clients=clients, clock=clock, timetable=timetable, start_job=self._processing.start, tags=self._tags
        )
        self._executions = Executions(
            self._books,
            ExecutionTools(
                clients, clock, events, job_types(self._processing.table, self._training.table), self.journal
            ),
        )
        self._views = ExecutionViews(self._books)
        self._pipelines = Pipelines(self._books, clients=clients, clock=clock, model=self._model, tags=self._tags)
        self._groups = ModelPackageGroups(self._shelves, clock=clock, tags=self._tags)
        self._packages = ModelPackages(self._shelves, clients=clients, clock=clock, events=events, tags=self._tags)

    def service(self) -> Service:
        """The table of operations."""
        tables = (
            self._processing.operations(),
            self._training.operations(),
            self._pipelines.operations(),
            self._executions.operations(),
            self._views.operations(),
            self._groups.operations(),
            self._packages.operations(),
            self._monitoring.operations(),
            self._tags.operations(),
        )
        operations = {name: operation for table in tables for name, operation in table.items()}
        return Service("sagemaker", self._model.checked(operations))

    def interrupted_executions(self) -> list[str]:
        """ARNs of the executions that a former server left unfinished; to be asked once, before the first request."""
        return self.journal.unfinished()

    def reset(self) -> None:
        """Stop everything that runs and forget all resources."""
        self._monitoring.reset()
        self._executions.abandon_all()
        # Twice: a step may have been about to create its job when the jobs were stopped.
        for _ in range(2):
            self._processing.table.clear()
            self._training.table.clear()
            self._executions.join_all()
        self.journal.clear()
        self._books.clear()
        self._shelves.clear()
        self._tags.clear()

    def close(self) -> None:
        """Stop everything that runs; the journal keeps what this interrupts.

        Nothing is waited for: the server does not answer any more, so threads that log or upload cannot end.
        """
        self._monitoring.close()
        self._executions.abandon_all()
        self._processing.table.abandon_all()
        self._training.table.abandon_all()

    def _exists(self, context: RequestContext, arn: str) -> bool:
        return (arn in self._known_arns(context) or self._monitoring.knows(context, arn)) or any(
            table.exists(context, arn) for table in (self._processing.table, self._training.table)
        )

    def _known_arns(self, context: RequestContext) -> Iterable[str]:
        book, shelf = self._books.of(context), self._shelves.of(context)
        return [
            *(pipeline.arn for pipeline in list(book.pipelines.values())),
            *(group.arn for group in list(shelf.groups.values())),
            *shelf.packages,
        ]
