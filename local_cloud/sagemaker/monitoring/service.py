"""Model Monitor as the local cloud runs it: job definitions, schedules and executions behind one table.

Its operations are part of the service `sagemaker`.
"""

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.sagemaker.monitoring.book import MonitoringBook
from local_cloud.sagemaker.monitoring.definitions import JobDefinitions
from local_cloud.sagemaker.monitoring.executions import MonitoringExecutions
from local_cloud.sagemaker.monitoring.runs import Runs, StartJob
from local_cloud.sagemaker.monitoring.schedules import MonitoringSchedules
from local_cloud.sagemaker.tags import Tags
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Operation, RequestContext
from local_cloud.stores import Partitioned


class Monitoring:
    """The engine; `start_job` creates a processing job. The caller clears the timetable."""

    def __init__(
        self, *, clients: Clients, clock: Clock, timetable: Timetable, start_job: StartJob, tags: Tags
    ) -> None:
        self._books: Partitioned[MonitoringBook] = Partitioned(MonitoringBook)
        self._runs = Runs(clients=clients, clock=clock, start_job=start_job)
        self._definitions = JobDefinitions(self._books, clock=clock, tags=tags)
        self._schedules = MonitoringSchedules(self._books, clock=clock, timetable=timetable, runs=self._runs, tags=tags)
        self._executions = MonitoringExecutions(self._books)

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            **self._definitions.operations(),
            **self._schedules.operations(),
            **self._executions.operations(),
        }

    def knows(self, context: RequestContext, arn: str) -> bool:
        """Whether an ARN is that of something in here."""
        return self._books.of(context).knows(arn)

    def reset(self) -> None:
        """Start nothing more of what waits, and forget everything."""
        self._runs.reset()
        self._books.clear()

    def close(self) -> None:
        """Start nothing more."""
        self._runs.close()
