"""The requests about change sets. A change set is complete when its creation is answered."""

import uuid
from dataclasses import replace
from typing import Any

from local_cloud.cloudformation.change_sets import ChangeSet, early_findings
from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.events import StackEvent, event_id
from local_cloud.cloudformation.partition import Partition
from local_cloud.cloudformation.plan import make_plan
from local_cloud.cloudformation.stack_requests import check_updatable
from local_cloud.cloudformation.stacks import REVIEW, Stack
from local_cloud.cloudformation.submission import Submission, Submissions
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stores import Partitioned


class ChangeSetRequests:
    """Handlers for change sets."""

    def __init__(self, partitions: Partitioned[Partition]) -> None:
        self._partitions = partitions

    def operations(self) -> dict[str, Operation]:
        """This part of the operation table."""
        return {
            "CreateChangeSet": Operation(
                self._create, note="import change sets, drift reversal and nested stacks are refused"
            ),
            "DescribeChangeSet": Operation(self._describe),
            "ExecuteChangeSet": Operation(self._execute),
            "DeleteChangeSet": Operation(self._delete),
            "ListChangeSets": Operation(self._list),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        kind = params.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT" or params.get("DeploymentMode"):
            raise ValidationError("Import change sets and drift reversal are not emulated by the local cloud")
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            stack, is_new = self._target(partition, context, params["StackName"], kind)
            name = params["ChangeSetName"]
            if partition.find_change_set(name, stack.id):
                raise ServiceError("AlreadyExistsException", f"ChangeSet {name} already exists")
            submissions = Submissions(context, partition.stacks, partition.tools)
            submission = submissions.read(params, stack)
            if is_new:
                stack = partition.stacks.add(stack.name, context, stack.created)
                _note_review(stack)
            scope, _ = submissions.scope(stack, submission)
            plan = make_plan(submission.template, scope, stack.resources, submissions.resolver())
            change_set = ChangeSet(
                id=f"arn:aws:cloudformation:{context.region}:{context.account}:changeSet/{name}/{uuid.uuid4()}",
                name=name,
                stack=stack,
                kind=kind,
                description=params.get("Description"),
                created=partition.tools.clock.now(),
                submission=submission,
                plan=plan,
                findings=early_findings(plan, partition.tools.schemas),
                on_stack_failure=params.get("OnStackFailure"),
            )
            partition.change_sets.append(change_set)
        return {"Id": change_set.id, "StackId": stack.id}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        change_set = self._partitions.of(context).change_set(params["ChangeSetName"], params.get("StackName"))
        return change_set.described(with_values=bool(params.get("IncludePropertyValues")))

    def _execute(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            change_set = partition.change_set(params["ChangeSetName"], params.get("StackName"))
            if change_set.execution_status != "AVAILABLE":
                raise ServiceError(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
                )
            stack = change_set.stack
            submission = _submission(change_set, params)
            if stack.status != REVIEW:
                check_updatable(stack)
            change_set.executed = True
            stack.change_set_id = change_set.id
            partition.forget_change_sets(stack, but=change_set)
            if stack.status == REVIEW:
                partition.operations.create(stack, submission)
            else:
                partition.operations.update(stack, submission)
        partition.operations.settle()
        return {}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        with partition.stacks.lock:
            found = partition.find_change_set(params["ChangeSetName"], params.get("StackName"))
            partition.change_sets = [candidate for candidate in partition.change_sets if candidate is not found]
        return {}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        partition = self._partitions.of(context)
        stack = partition.stacks.get(params["StackName"])
        return {"Summaries": [entry.summary() for entry in partition.change_sets if entry.stack is stack]}

    @staticmethod
    def _target(partition: Partition, context: RequestContext, name: str, kind: str) -> tuple[Stack, bool]:
        known = partition.stacks.find(name)
        if kind == "CREATE":
            if known is not None and known.status != REVIEW:
                raise ValidationError(f"Stack [{name}] already exists and cannot be created again with the changeSet")
            draft = Stack(id="", name=name, context=context, created=partition.tools.clock.now())
            return known or draft, known is None
        if known is None or not known.exists or known.status == REVIEW:
            raise ValidationError(f"Stack [{name}] does not exist")
        check_updatable(known)
        return known, False


def _note_review(stack: Stack) -> None:
    stack.events.add(
        StackEvent(
            event_id(stack.name, REVIEW),
            str(uuid.uuid4()),
            stack.created,
            stack.name,
            stack.id,
            "AWS::CloudFormation::Stack",
            REVIEW,
            reason="User Initiated",
        )
    )


def _submission(change_set: ChangeSet, params: dict[str, Any]) -> Submission:
    """The change set's submission with what its execution adds: token and failure options."""
    failure = change_set.on_stack_failure or change_set.submission.on_failure
    return replace(
        change_set.submission,
        token=params.get("ClientRequestToken"),
        on_failure="DO_NOTHING" if params.get("DisableRollback") else failure,
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
    )
