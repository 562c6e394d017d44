"""The requests that change stacks: create, update, delete, roll back, termination protection."""

from typing import Any

from local_cloud.cloudformation.change_sets import is_empty
from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.partition import Partition
from local_cloud.cloudformation.plan import make_plan
from local_cloud.cloudformation.stacks import REVIEW, Stack
from local_cloud.cloudformation.submission import Submission, Submissions
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stores import Partitioned

_UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "CREATE_FAILED")


class StackRequests:
    """Handlers; each checks, starts the work under the lock, and answers at once."""

    def __init__(self, partitions: Partitioned[Partition]) -> None:
        self._partitions = partitions

    def operations(self) -> dict[str, Operation]:
        """This part of the operation table."""
        return {
            "CreateStack": Operation(self._create),
            "UpdateStack": Operation(self._update),
            "DeleteStack": Operation(self._delete),
            "ContinueUpdateRollback": Operation(self._continue_rollback),
            "RollbackStack": Operation(self._roll_back),
            "UpdateTerminationProtection": Operation(self._protect),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            known = partition.stacks.find(params["StackName"])
            if known is not None and known.status != REVIEW:
                raise ServiceError("AlreadyExistsException", f"Stack [{params['StackName']}] already exists")
            draft = Stack(id="", name=params["StackName"], context=context, created=partition.tools.clock.now())
            stack = known or draft
            submission = Submissions(context, partition.stacks, partition.tools).read(params, stack)
            if known is None:
                stack = partition.stacks.add(draft.name, context, draft.created)
            stack.termination_protection = bool(params.get("EnableTerminationProtection"))
            partition.forget_change_sets(stack)
            operation_id = partition.operations.create(stack, submission)
        return {"StackId": stack.id, "OperationId": operation_id}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            stack = partition.stacks.get(params["StackName"])
            check_updatable(stack)
            submission = Submissions(context, partition.stacks, partition.tools).read(params, stack)
            if not _would_change(partition, stack, submission):
                raise ValidationError("No updates are to be performed.")
            partition.forget_change_sets(stack)
            operation_id = partition.operations.update(stack, submission)
        return {"StackId": stack.id, "OperationId": operation_id}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        keep = frozenset(params.get("RetainResources", []))
        with partition.stacks.lock:
            stack = partition.stacks.find(params["StackName"])
            if stack is None or not stack.exists or stack.status == "DELETE_IN_PROGRESS":
                return {}
            if stack.termination_protection:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.busy:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
            if keep and stack.status != "DELETE_FAILED":
                raise ValidationError(
                    "Invalid operation on stack: specify resources to retain only when the stack is in DELETE_FAILED"
                )
            partition.forget_change_sets(stack)
            force = params.get("DeletionMode") == "FORCE_DELETE_STACK"
            partition.operations.delete(stack, keep=keep, force=force, token=params.get("ClientRequestToken"))
        partition.operations.settle()
        return {}

    def _continue_rollback(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            stack = partition.stacks.get(params["StackName"])
            if stack.status != "UPDATE_ROLLBACK_FAILED":
                raise ValidationError(
                    f"Stack:{stack.id} is in {stack.status} state and can not continue an update rollback."
                )
            skip = frozenset(params.get("ResourcesToSkip", []))
            if params.get("ForceRollback"):
                skip = frozenset(step.after.logical_id for step in stack.unfinished)
            partition.operations.roll_back(stack, skip=skip, token=params.get("ClientRequestToken"))
        return {}

    def _roll_back(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            stack = partition.stacks.get(params["StackName"])
            if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
                raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
            operation_id = partition.operations.roll_back(
                stack, skip=frozenset(), token=params.get("ClientRequestToken")
            )
        return {"StackId": stack.id, "OperationId": operation_id}

    def _protect(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            stack = partition.stacks.get(params["StackName"])
            stack.termination_protection = bool(params["EnableTerminationProtection"])
        return {"StackId": stack.id}


def check_updatable(stack: Stack) -> None:
    """Raises CloudFormation's ValidationError for a stack that an update cannot start from."""
    if stack.status not in _UPDATABLE:
        raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _would_change(partition: Partition, stack: Stack, submission: Submission) -> bool:
    if stack.status.endswith("_FAILED"):
        return True
    submissions = Submissions(stack.context, partition.stacks, partition.tools)
    scope, _ = submissions.scope(stack, submission)
    plan = make_plan(submission.template, scope, stack.resources, submissions.resolver())
    return not is_empty(stack, submission, plan)
