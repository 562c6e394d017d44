"""Step Functions as the local cloud runs it: Standard workflows whose tasks really call the services, as their role.

The states are walked through by moto's interpreter of the Amazon States Language, with repairs (`moto/states/`).
It proved unusable for two things, which this engine therefore does itself or refuses: the service integrations (moto
calls services without credentials, without the model's shapes, and knows no `.sync` for SageMaker), and JSONata (moto
took the evaluator out). State machines, executions and their endings are the engine's own too: in moto a stopped
execution runs until its task is over, and no status is told to anybody.
A restart of the server forgets state machines and executions, as it forgets the account they belong to.
"""

from collections.abc import Callable

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.service import Service
from local_cloud.stepfunctions.announcements import Announcements
from local_cloud.stepfunctions.book import Book
from local_cloud.stepfunctions.executions import Executions
from local_cloud.stepfunctions.interpretation import Interpreter
from local_cloud.stepfunctions.machines import StateMachines
from local_cloud.stores import Partitioned


class StepFunctions:
    """The engine. `parse` reads a definition and raises ValueError; `record_metric` is CloudWatch's."""

    def __init__(
        self,
        *,
        clients: Clients,
        clock: Clock,
        events: EventBus,
        record_metric: Callable[..., None],
        interpreter: Interpreter,
        parse: Callable[[str], None],
    ) -> None:
        self._books: Partitioned[Book] = Partitioned(Book)
        self._model = ApiModel("stepfunctions")
        self._machines = StateMachines(self._books, clients=clients, clock=clock, parse=parse)
        self._executions = Executions(
            self._books,
            clock=clock,
            interpreter=interpreter,
            announcements=Announcements(events=events, record_metric=record_metric),
        )

    def service(self) -> Service:
        """The table of operations."""
        operations = self._machines.operations() | self._executions.operations()
        return Service("stepfunctions", self._model.checked(operations))

    def status(self) -> list[dict[str, str]]:
        """All executions in the order of their start, for the status page."""
        executions = [execution for book in self._books for execution in list(book.executions.values())]
        return [
            {
                "machine": execution.machine.name,
                "execution": execution.name,
                "status": execution.status.value,
                "started": f"{execution.started:%Y-%m-%d %H:%M:%S}",
            }
            for execution in sorted(executions, key=lambda known: known.started)
        ]

    def reset(self) -> None:
        """Stop everything that runs and forget all state machines."""
        self._executions.abandon()
        self._executions.join()
        self._books.clear()

    def close(self) -> None:
        """Stop everything that runs. Nothing is waited for: the server does not answer the tasks any more."""
        self._executions.abandon()
