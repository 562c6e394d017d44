"""CodePipeline as the local cloud runs it: one table of operations over pipelines, executions, approvals and jobs.

A restart of the server forgets pipelines and executions, as it forgets the account they belong to.
"""

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.codepipeline.action_runner import Tools
from local_cloud.codepipeline.actions.catalogue import default_providers
from local_cloud.codepipeline.approvals import Approvals
from local_cloud.codepipeline.book import PipelineBook
from local_cloud.codepipeline.events import StateChanges
from local_cloud.codepipeline.executions import Executions
from local_cloud.codepipeline.jobs import JobDesk
from local_cloud.codepipeline.management import Pipelines
from local_cloud.codepipeline.validation import Providers
from local_cloud.codepipeline.views import Views
from local_cloud.events.bus import EventBus
from local_cloud.service import Service
from local_cloud.stores import Partitioned


class CodePipeline:
    """The engine. `providers` are the action types; tests bring their own."""

    def __init__(self, *, clients: Clients, clock: Clock, events: EventBus, providers: Providers | None = None) -> None:
        self._books: Partitioned[PipelineBook] = Partitioned(PipelineBook)
        self._model = ApiModel("codepipeline")
        self._jobs = JobDesk()
        chosen = default_providers(self._jobs) if providers is None else providers
        self._executions = Executions(self._books, Tools(clients, clock, StateChanges(events), chosen))
        self._pipelines = Pipelines(self._books, executions=self._executions, clock=clock, providers=chosen)
        self._views = Views(self._books)
        self._approvals = Approvals(self._books, clock=clock)

    def service(self) -> Service:
        """The table of operations."""
        parts = (self._pipelines, self._executions, self._views, self._approvals, self._jobs)
        operations = {name: entry for part in parts for name, entry in part.operations().items()}
        return Service("codepipeline", self._model.checked(operations))

    def reset(self) -> None:
        """Stop everything that runs and forget all pipelines."""
        self._abandon()
        self._executions.join_all()
        self._books.clear()
        self._jobs.clear()

    def close(self) -> None:
        """Stop everything that runs. Nothing is waited for: the server does not answer the actions any more."""
        self._abandon()

    def _abandon(self) -> None:
        for book in self._books:
            with book.lock:
                pipelines = list(book.pipelines.values())
            self._executions.forget(pipelines)
