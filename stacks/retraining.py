"""The retraining loop of one project: its functions with their rights, the state machine, and what starts it.

Must not let anything but the loop start a training: so there is one at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import ArnFormat
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.approval_topic import ApprovalTopic
from components.event_function import EventFunction
from components.event_rule import EventKind, FunctionRule, WorkflowRule
from components.lock_table import LockTable
from components.retraining_loop import LoopFunctions, RetrainingLoop
from components.sagemaker_pipeline import SageMakerPipeline
from components.scheduled_call import CallTarget, ScheduledCall
from stacks.candidate_announcement import announce_candidates
from stacks.data_lake_stack import INGEST_SOURCE, SNAPSHOTS
from stacks.project_function import project_function
from stacks.project_scope import EVENT_BUS, MONITORING_SOURCE, RETRAINING_SOURCE, ProjectScope


@dataclass(frozen=True, kw_only=True)
class LoopParts:
    """What the loop works on: the pipeline that it starts, the lake with the snapshots, and whom it tells."""

    pipeline: SageMakerPipeline
    lake_bucket: s3.IBucket
    approvals: ApprovalTopic


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """What the stack reports on: functions by what they fail to do when they fail, and the state machine."""

    functions: dict[str, EventFunction]
    loop: RetrainingLoop


def add_retraining(construct: Construct, scope: ProjectScope, parts: LoopParts) -> Retraining:
    """The loop of the scope's project."""
    name = f"{scope.project.resource_name(scope.stage.name)}-retraining"
    table = LockTable(construct, "Locks", key="project", encryption_key=scope.key)
    decide = _decide(construct, scope, parts, table=table, loop_name=name)
    start = _start(construct, scope, parts)
    finish = _finish(construct, scope, parts, table=table)
    loop = RetrainingLoop(
        construct,
        "Loop",
        name=name,
        functions=LoopFunctions(
            decide=decide.function.function_arn, start=start.function.function_arn, finish=finish.function.function_arn
        ),
        pipeline_arn=parts.pipeline.arn,
        timeout_hours=scope.stage.settings.retraining.timeout_hours,
    )
    _route(construct, scope, loop, dead_letters=decide)
    FunctionRule(
        construct,
        "LoopEnded",
        description=f"The lock of {name} is freed when an execution is ended from outside",
        event=EventKind(
            source="aws.states",
            detail_type="Step Functions Execution Status Change",
            detail={"stateMachineArn": [loop.arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
        ),
        target=finish,
    )
    announce = announce_candidates(construct, scope, pipeline_arn=parts.pipeline.arn, approvals=parts.approvals)
    functions = {"Decided": decide, "Started": start, "Finished": finish, "Announced": announce}
    return Retraining(functions=functions, loop=loop)


def _route(construct: Construct, scope: ProjectScope, loop: RetrainingLoop, *, dead_letters: EventFunction) -> None:
    project, dataset = scope.project.name, scope.project.contract.dataset
    own = scope.event_subject
    WorkflowRule(
        construct,
        "Triggers",
        kinds={
            f"A new snapshot of {dataset} asks for a training": EventKind(
                source=INGEST_SOURCE, detail_type="Snapshot Created", detail={"dataset": [dataset]}
            ),
            f"A violation of {project} asks for a training": EventKind(
                source=MONITORING_SOURCE, detail_type="Violation Found", detail=own
            ),
            f"Newer data that a failed training of {project} kept waiting asks for one": EventKind(
                source=RETRAINING_SOURCE, detail_type="Retraining Failed", detail={**own, "newerData": [True]}
            ),
        },
        state_machine_arn=loop.arn,
        dead_letter_queue=dead_letters.dead_letter_queue,
    )
    schedule = scope.stage.settings.retraining.schedule
    if schedule:
        target = CallTarget(
            arn=loop.arn, action="states:StartExecution", dead_letter_queue=dead_letters.dead_letter_queue
        )
        ScheduledCall(
            construct,
            "Calendar",
            description=f"Trains {project} on a calendar",
            target=target,
            expression=schedule,
            payload={"reason": "schedule"},
        )


def _decide(
    construct: Construct, scope: ProjectScope, parts: LoopParts, *, table: LockTable, loop_name: str
) -> EventFunction:
    settings = scope.stage.settings.retraining
    executions = scope.stack.format_arn(
        service="states", resource="execution", resource_name=f"{loop_name}:*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return project_function(
        construct,
        "DecideRetraining",
        scope=scope,
        folder="decide_retraining",
        description=f"Decides whether {scope.project.name} is trained now",
        environment={
            **_training_target(scope, parts),
            **_ledgers(scope, parts, table),
            "COOLDOWN_HOURS": str(settings.cooldown_hours),
            "MINIMUM_NEW_ROWS": str(settings.minimum_new_rows),
        },
        timeout_seconds=120,
        memory_mb=256,
        statements=[
            iam.PolicyStatement(actions=["dynamodb:GetItem", "dynamodb:UpdateItem"], resources=[table.arn]),
            iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[executions]),
            iam.PolicyStatement(actions=["sagemaker:ListPipelineExecutions"], resources=[parts.pipeline.arn]),
            iam.PolicyStatement(
                actions=["sagemaker:ListPipelineParametersForExecution"],
                resources=[f"{parts.pipeline.arn}/execution/*"],
            ),
            scope.announce(RETRAINING_SOURCE),
            *_snapshots(scope, parts.lake_bucket),
            *_champion(scope),
        ],
    )


def _start(construct: Construct, scope: ProjectScope, parts: LoopParts) -> EventFunction:
    starting = iam.PolicyStatement(actions=["sagemaker:StartPipelineExecution"], resources=[parts.pipeline.arn])
    return project_function(
        construct,
        "StartTraining",
        scope=scope,
        folder="start_training",
        description=f"Starts pipeline {parts.pipeline.name} for the retraining loop",
        environment={**_training_target(scope, parts), "COMMIT": scope.stage.commit},
        timeout_seconds=60,
        memory_mb=256,
        statements=[starting, *_champion(scope)],
    )


def _finish(construct: Construct, scope: ProjectScope, parts: LoopParts, *, table: LockTable) -> EventFunction:
    return project_function(
        construct,
        "FinishRetraining",
        scope=scope,
        folder="finish_retraining",
        description=f"Ends an execution of the retraining loop of {scope.project.name}",
        environment={
            **_ledgers(scope, parts, table),
            "APPROVAL_TOPIC_ARN": parts.approvals.topic.topic_arn,
        },
        timeout_seconds=120,
        memory_mb=256,
        statements=[
            iam.PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[table.arn]),
            iam.PolicyStatement(
                actions=["sagemaker:ListPipelineExecutionSteps"], resources=[f"{parts.pipeline.arn}/execution/*"]
            ),
            scope.announce(RETRAINING_SOURCE),
            *_snapshots(scope, parts.lake_bucket),
            *parts.approvals.publishing(),
        ],
    )


def _training_target(scope: ProjectScope, parts: LoopParts) -> dict[str, str]:
    return {
        "PIPELINE_NAME": parts.pipeline.name,
        "MODEL_PACKAGE_GROUP": scope.model_package_group,
        "CHAMPION_PARAMETER": scope.champion_parameter,
    }


def _ledgers(scope: ProjectScope, parts: LoopParts, table: LockTable) -> dict[str, str]:
    """Where the lock and the current data are found, and where is told what became of them."""
    return {
        "EVENT_BUS": EVENT_BUS,
        "LOCK_TABLE": table.name,
        "LAKE_BUCKET": parts.lake_bucket.bucket_name,
        "DATASET": scope.project.contract.dataset,
    }


def _snapshots(scope: ProjectScope, lake: s3.IBucket) -> Iterator[iam.PolicyStatement]:
    prefix = f"{SNAPSHOTS}{scope.project.contract.dataset}/"
    yield iam.PolicyStatement(actions=["s3:GetObject"], resources=[lake.arn_for_objects(f"{prefix}*")])
    # Without the right to list, S3 answers a missing object with 403 instead of 404.
    yield iam.PolicyStatement(actions=["s3:ListBucket"], resources=[lake.bucket_arn])
    yield scope.use_key("kms:Decrypt")


def _champion(scope: ProjectScope) -> Iterator[iam.PolicyStatement]:
    yield scope.read_packages()
    yield scope.use_parameter("ssm:GetParameter")
    # Listing takes no resource; it shows names and states, no model.
    yield iam.PolicyStatement(actions=["sagemaker:ListModelPackages"], resources=["*"])
