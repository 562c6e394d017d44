"""The states of a stack: create, update, delete and roll back, each in a thread of its own.

Source: AWS CloudFormation User Guide, "Stack status codes" and "Stack failure options".
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local_cloud.cloudformation.errors import OperationFailed, ResourceFailure
from local_cloud.cloudformation.executor import Executor
from local_cloud.cloudformation.exports import check_exports_may_change, importers
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.operator import ResourceOperator, Toolbox
from local_cloud.cloudformation.plan import active, resolve_outputs
from local_cloud.cloudformation.stacks import DELETED, LiveResource, Stack, StackStore
from local_cloud.cloudformation.submission import Submission, Submissions
from local_cloud.service import ServiceError

_log = logging.getLogger("local_cloud")
_STARTED = "User Initiated"
_SETTLE_SECONDS = 3.0


class StackOperations:
    """Runs operations on the stacks of one account and region."""

    def __init__(self, store: StackStore, tools: Toolbox) -> None:
        self._store = store
        self._tools = tools
        self._threads: list[threading.Thread] = []

    def create(self, stack: Stack, submission: Submission) -> str:
        """Start creating a stack; returns the operation id. The caller holds the store's lock."""
        operator = self._operator(stack, "CREATE_STACK", submission.token)
        _adopt(stack, submission)
        stack.disable_rollback = submission.on_failure == "DO_NOTHING"
        stack.timeout_minutes = submission.timeout_minutes
        operator.stack_event("CREATE_IN_PROGRESS", _STARTED)
        self._start(stack, operator, "CREATE_FAILED", lambda: self._create(stack, operator, submission))
        return operator.operation_id

    def update(self, stack: Stack, submission: Submission) -> str:
        """Start updating a stack; returns the operation id. The caller holds the store's lock."""
        operator = self._operator(stack, "UPDATE_STACK", submission.token)
        before = replace(stack)
        _adopt(stack, submission)
        stack.updated = self._tools.clock.now()
        operator.stack_event("UPDATE_IN_PROGRESS", _STARTED)
        self._start(stack, operator, "UPDATE_FAILED", lambda: self._update(stack, operator, submission, before))
        return operator.operation_id

    def delete(self, stack: Stack, *, keep: frozenset[str], force: bool, token: str | None) -> None:
        """Start deleting a stack. The caller holds the store's lock."""
        operator = self._operator(stack, "DELETE_STACK", token)
        operator.stack_event("DELETE_IN_PROGRESS", _STARTED)
        self._start(stack, operator, "DELETE_FAILED", lambda: self._delete(stack, operator, keep=keep, force=force))

    def roll_back(self, stack: Stack, *, skip: frozenset[str], token: str | None) -> str:
        """Start taking back what a failed operation left unfinished; resources in `skip` stay as they are.

        The caller holds the store's lock.
        """
        created = stack.status.startswith("CREATE") or stack.status.startswith("ROLLBACK")
        operator = self._operator(stack, "ROLLBACK", token)
        operator.stack_event("ROLLBACK_IN_PROGRESS" if created else "UPDATE_ROLLBACK_IN_PROGRESS", _STARTED)
        if created:
            self._start(stack, operator, "ROLLBACK_FAILED", lambda: self._remove_all(stack, operator, _retained))
        else:
            self._start(stack, operator, "UPDATE_ROLLBACK_FAILED", lambda: self._take_back(stack, operator, skip=skip))
        return operator.operation_id

    def settle(self) -> None:
        """Give what was just started a moment. The CDK CLI asks only every five seconds whether it is done, so an
        answer that comes a little later spares its user most of a wait. Call it without holding the lock.
        """
        self.join(_SETTLE_SECONDS)

    def join(self, timeout: float) -> None:
        """Wait until nothing runs any more, at most `timeout` seconds for each thread."""
        for thread in self._threads:
            thread.join(timeout)

    # --- the threads' work ------------------------------------------------------------------------------------------

    def _create(self, stack: Stack, operator: ResourceOperator, submission: Submission) -> None:
        executor = Executor(stack, operator, adopts=submission.import_existing)
        try:
            self._apply(stack, submission, executor)
        except OperationFailed as failure:
            if submission.on_failure == "DO_NOTHING":
                operator.stack_event("CREATE_FAILED", str(failure))
            elif submission.on_failure == "DELETE":
                operator.stack_event("DELETE_IN_PROGRESS", str(failure))
                self._delete(stack, operator, keep=frozenset(), force=False)
            else:
                operator.begin("ROLLBACK")
                operator.stack_event("ROLLBACK_IN_PROGRESS", str(failure))
                retained = _retained_on_create if not submission.retain_except_on_create else _never
                self._remove_all(stack, operator, retained)
        else:
            operator.stack_event("CREATE_COMPLETE")

    def _update(self, stack: Stack, operator: ResourceOperator, submission: Submission, before: Stack) -> None:
        executor = Executor(stack, operator, adopts=submission.import_existing)
        known = dict(stack.resources)
        try:
            self._apply(stack, submission, executor)
        except OperationFailed as failure:
            stack.unfinished = [*stack.unfinished, *executor.steps]
            if submission.on_failure == "DO_NOTHING":
                operator.stack_event("UPDATE_FAILED", str(failure))
                return
            operator.begin("ROLLBACK")
            operator.stack_event("UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            _restore(stack, before)
            self._take_back(stack, operator, skip=frozenset())
            return
        operator.stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        steps = [*stack.unfinished, *executor.steps]
        stack.unfinished = []
        gone = [live for logical_id, live in known.items() if logical_id not in self._wanted(stack, submission)]
        executor.delete(gone, retained=_retained, forget=True)
        replaced = [step.before for step in steps if step.replaced and step.before]
        executor.delete(replaced, retained=_retained_on_replacement, forget=False)
        for live in gone:
            # What could not be deleted in the cleanup is left behind, as CloudFormation leaves it.
            stack.resources.pop(live.logical_id, None)
        operator.stack_event("UPDATE_COMPLETE")

    def _apply(self, stack: Stack, submission: Submission, executor: Executor) -> None:
        submissions = Submissions(stack.context, self._store, self._tools)
        scope, links = submissions.scope(stack, submission)
        evaluator = Evaluator(scope)
        try:
            executor.apply(active(submission.template, evaluator), evaluator, submissions.resolver())
            outputs = resolve_outputs(submission.template, evaluator)
        except ServiceError as error:
            raise OperationFailed(error.message) from error
        with self._store.lock:
            exports = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
            check_exports_may_change(self._store, stack, exports)
            stack.outputs, stack.imports = outputs, links.imported

    def _take_back(self, stack: Stack, operator: ResourceOperator, *, skip: frozenset[str]) -> None:
        executor = Executor(stack, operator)
        try:
            left_over = executor.undo(stack.unfinished, skip=skip)
        except OperationFailed as failure:
            operator.stack_event("UPDATE_ROLLBACK_FAILED", str(failure))
            return
        operator.stack_event("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        executor.delete(
            left_over,
            retained=lambda live: _retained_on_create(live) and live.logical_id not in stack.resources,
            forget=False,
        )
        operator.stack_event("UPDATE_ROLLBACK_COMPLETE")

    def _remove_all(self, stack: Stack, operator: ResourceOperator, retained: Callable[[LiveResource], bool]) -> None:
        failures = Executor(stack, operator).delete(list(stack.resources.values()), retained=retained, forget=True)
        stack.outputs, stack.imports = [], frozenset()
        if failures:
            operator.stack_event("ROLLBACK_FAILED", _undeleted(failures))
        else:
            operator.stack_event("ROLLBACK_COMPLETE")

    def _delete(self, stack: Stack, operator: ResourceOperator, *, keep: frozenset[str], force: bool) -> None:
        for name in stack.exports:
            users = [user for user in importers(self._store, name) if user != stack.name]
            if users:
                reason = f"Export {name} cannot be deleted as it is in use by {', '.join(users)}"
                operator.stack_event("DELETE_FAILED", reason)
                return
        failures = Executor(stack, operator).delete(
            list(stack.resources.values()),
            retained=lambda live: _retained(live) or live.logical_id in keep,
            forget=True,
        )
        if failures and not force:
            operator.stack_event("DELETE_FAILED", _undeleted(failures))
            return
        stack.resources.clear()
        stack.outputs, stack.imports = [], frozenset()
        stack.deleted = self._tools.clock.now()
        operator.stack_event(DELETED)

    def _wanted(self, stack: Stack, submission: Submission) -> dict[str, Any]:
        scope, _ = Submissions(stack.context, self._store, self._tools).scope(stack, submission)
        return dict(active(submission.template, Evaluator(scope)))

    # --- threads ----------------------------------------------------------------------------------------------------

    def _operator(self, stack: Stack, kind: str, token: str | None) -> ResourceOperator:
        operator = ResourceOperator(stack, self._tools, token=token)
        operator.begin(kind)
        return operator

    def _start(self, stack: Stack, operator: ResourceOperator, failed: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a defect here must end the operation, or its waiters wait for ever
                _log.exception("CloudFormation operation on %s failed", stack.name)
                operator.stack_event(failed, f"Internal failure of the local cloud: {type(error).__name__}: {error}")

        thread = threading.Thread(target=run, name=f"cloudformation-{stack.name}", daemon=True)
        self._threads = [*(known for known in self._threads if known.is_alive()), thread]
        thread.start()


def _adopt(stack: Stack, submission: Submission) -> None:
    stack.template, stack.parameters = submission.template, dict(submission.parameters)
    stack.tags, stack.capabilities = submission.tags, submission.capabilities
    stack.notification_arns, stack.role_arn = submission.notification_arns, submission.role_arn


def _restore(stack: Stack, before: Stack) -> None:
    stack.template, stack.parameters = before.template, before.parameters
    stack.tags, stack.capabilities = before.tags, before.capabilities
    stack.notification_arns, stack.role_arn = before.notification_arns, before.role_arn


def _undeleted(failures: list[ResourceFailure]) -> str:
    names = ", ".join(failure.logical_id for failure in failures)
    return f"The following resource(s) failed to delete: [{names}]. {failures[0].reason}"


def _retained(live: LiveResource) -> bool:
    return live.definition.deletion_policy in ("Retain", "RetainExceptOnCreate")


def _retained_on_create(live: LiveResource) -> bool:
    # A resource that never came to be holds nothing worth keeping.
    return live.definition.deletion_policy == "Retain" and live.status != "CREATE_FAILED"


def _retained_on_replacement(live: LiveResource) -> bool:
    return live.definition.update_replace_policy == "Retain"


def _never(live: LiveResource) -> bool:
    return False
