"""EventBridge Scheduler as the local cloud runs it: schedules and groups behind one table of operations."""

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.ledger import Ledger
from local_cloud.scheduler.book import ScheduleBook
from local_cloud.scheduler.groups import Groups
from local_cloud.scheduler.invocation import Invoker
from local_cloud.scheduler.schedules import Schedules
from local_cloud.scheduler.timetable import Timetable
from local_cloud.service import Service
from local_cloud.stores import Partitioned


class Scheduler:
    """The engine. `ledger` is where invocations are recorded, beside the deliveries of EventBridge."""

    def __init__(self, *, clients: Clients, clock: Clock, timetable: Timetable, ledger: Ledger) -> None:
        self._model = ApiModel("scheduler")
        self._books: Partitioned[ScheduleBook] = Partitioned(ScheduleBook)
        self._invoker = Invoker(clients=clients, clock=clock, ledger=ledger)
        self._schedules = Schedules(
            self._books, clients=clients, clock=clock, timetable=timetable, invoker=self._invoker
        )
        self._groups = Groups(self._books, clock=clock, remove=self._schedules.remove)

    def service(self) -> Service:
        """The table of operations."""
        operations = self._schedules.operations() | self._groups.operations()
        return Service("scheduler", self._model.checked(operations))

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether no target is being called, at the latest after `timeout` real seconds; schedules may be waiting."""
        return self._invoker.wait_until_idle(timeout)

    def reset(self) -> None:
        """Forget all schedules; the caller clears the timetable."""
        self._invoker.reset()
        self._books.clear()

    def close(self) -> None:
        """Call no target any more."""
        self._invoker.close()
