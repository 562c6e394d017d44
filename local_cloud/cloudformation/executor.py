"""Carries out one change of a stack: creates and updates in parallel where independent, undoes, cleans up.

It knows the order; `operator.py` knows how one resource is changed, `operations.py` the states of the stack.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from local_cloud.cloudformation.errors import OperationFailed, ReplacementFailure, ResourceFailure
from local_cloud.cloudformation.graph import deletion_order, sorter
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.operator import CreationFailure, ResourceOperator
from local_cloud.cloudformation.properties import PropertyResolver
from local_cloud.cloudformation.stacks import LiveResource, Stack, Step
from local_cloud.cloudformation.template import ResourceDefinition
from local_cloud.service import ServiceError

_PARALLEL = 6


class Executor:
    """One run over the resources of a stack. `steps` is the journal of what was done.

    With `adopts`, a retained resource that exists already under its fixed name becomes part of the stack.
    """

    def __init__(self, stack: Stack, operator: ResourceOperator, *, adopts: bool = False) -> None:
        self._adopts = adopts
        self._stack = stack
        self._operator = operator
        self.steps: list[Step] = []

    def apply(
        self, definitions: Mapping[str, ResourceDefinition], evaluator: Evaluator, resolver: PropertyResolver
    ) -> None:
        """Bring every defined resource to its desired properties; raises OperationFailed at the first failure.

        Resources whose change already runs when another fails are waited for, so the journal is complete.
        """
        order = sorter(definitions)
        order.prepare()
        failures: list[ResourceFailure] = []
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(_PARALLEL, thread_name_prefix=f"cfn-{self._stack.name}") as pool:
            while order.is_active() or running:
                if not failures:
                    for logical_id in order.get_ready():
                        change = pool.submit(self._apply_one, definitions[logical_id], evaluator, resolver)
                        running[change] = logical_id
                if not running:
                    break
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    order.done(running.pop(done))
                    failure = done.exception()
                    if isinstance(failure, ResourceFailure):
                        failures.append(failure)
                    elif failure is not None:
                        raise failure
        if failures:
            raise OperationFailed(_summary(failures))

    def undo(self, steps: list[Step], *, skip: frozenset[str] = frozenset()) -> list[LiveResource]:
        """Take steps back, last first, and return the physical resources that are left over.

        Raises OperationFailed naming the resource that cannot be brought back; the steps from that one on stay in
        the stack's `unfinished`, for a later attempt.
        """
        left_over = []
        remaining = list(steps)
        while remaining:
            step = remaining[-1]
            logical_id = step.after.logical_id
            try:
                left_over += self._undo_one(step, skipped=logical_id in skip)
            except ResourceFailure as failure:
                self._stack.unfinished = remaining
                raise OperationFailed(str(failure)) from failure
            remaining.pop()
        self._stack.unfinished = []
        return left_over

    def delete(
        self,
        resources: list[LiveResource],
        *,
        retained: Callable[[LiveResource], bool],
        forget: bool,
    ) -> list[ResourceFailure]:
        """Delete physical resources, dependants first, and return what could not be deleted.

        `forget` also takes them out of the stack; a failed one then stays in it with status DELETE_FAILED.
        """
        failures = []
        for live in _dependants_first(resources):
            if retained(live):
                self._operator.skip_deletion(live)
            else:
                try:
                    self._operator.delete(live)
                except ResourceFailure as failure:
                    failures.append(failure)
                    if forget:
                        stuck = replace(live, status="DELETE_FAILED", reason=failure.reason)
                        self._stack.resources[live.logical_id] = stuck
                    continue
            if forget:
                self._stack.resources.pop(live.logical_id, None)
        return failures

    def _apply_one(self, definition: ResourceDefinition, evaluator: Evaluator, resolver: PropertyResolver) -> None:
        live = self._stack.resources.get(definition.logical_id)
        try:
            properties = resolver.resolve(definition, evaluator)
        except ServiceError as error:
            raise self._operator.refuse(definition, live, error.message) from error
        schema = resolver.schemas.get(definition.type)
        problems = schema.problems(properties) if schema else []
        if problems:
            listed = "\n".join(f"{path}: {message}" for path, message in problems)
            text = f"Properties validation failed for resource {definition.logical_id} with message:\n{listed}"
            raise self._operator.refuse(definition, live, text)
        if live is None or live.status == "CREATE_FAILED":
            self._create(live, definition, properties)
        elif live.properties == properties and not live.status.endswith("_FAILED"):
            self._commit(Step(live, replace(live, definition=definition)))
        else:
            self._update(live, definition, properties)

    def _create(
        self, remains: LiveResource | None, definition: ResourceDefinition, properties: dict[str, object]
    ) -> None:
        try:
            found = self._operator.adopt(definition, properties) if self._adopts else None
            after = found or self._operator.create(definition, properties)
        except CreationFailure as failure:
            if failure.begun is not None:
                self._commit(Step(remains, failure.begun, replaced=remains is not None))
            raise
        self._commit(Step(remains, after, replaced=remains is not None))

    def _update(self, live: LiveResource, definition: ResourceDefinition, properties: dict[str, object]) -> None:
        try:
            after, replaced = self._operator.update(live, definition, properties)
        except ReplacementFailure as failure:
            # The physical resource was not touched, so undoing must not touch it either.
            self._commit(Step(live, replace(live, status="UPDATE_FAILED", reason=failure.reason)))
            raise
        except ResourceFailure as failure:
            # Part of the change may have happened, so undoing it includes this resource.
            failed = replace(
                live, definition=definition, properties=properties, status="UPDATE_FAILED", reason=failure.reason
            )
            self._commit(Step(live, failed))
            raise
        self._commit(Step(live, after, replaced))

    def _commit(self, step: Step) -> None:
        self._stack.resources[step.after.logical_id] = step.after
        self.steps.append(step)

    def _undo_one(self, step: Step, *, skipped: bool) -> list[LiveResource]:
        before, after = step.before, step.after
        if before is None:
            self._stack.resources.pop(after.logical_id, None)
            return [after]
        if not step.replaced and after.properties != before.properties and not skipped:
            restored, renewed = self._operator.update(after, before.definition, before.properties)
            self._stack.resources[after.logical_id] = restored
            return [after] if renewed else []
        self._stack.resources[after.logical_id] = before
        return [after] if step.replaced else []


def _dependants_first(resources: list[LiveResource]) -> list[LiveResource]:
    """Deletion order; several physical resources of one logical id stay together."""
    order = deletion_order(resource.definition for resource in resources)
    return sorted(resources, key=lambda resource: order.index(resource.logical_id))


def _summary(failures: list[ResourceFailure]) -> str:
    verbs = sorted({failure.verb for failure in failures})
    named = [
        f"The following resource(s) failed to {verb}: "
        f"[{', '.join(failure.logical_id for failure in failures if failure.verb == verb)}]."
        for verb in verbs
    ]
    return " ".join([*named, failures[0].reason])
