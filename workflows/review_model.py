"""A workflow authored in Python: train a candidate, wait for the outcome, and tell the reviewers.

`python -m workflows.review_model --print` shows the definition; `--create` and `--run` take it to AWS, or to the
local cloud if AWS_ENDPOINT_URL says so. It approves nothing. The project's own loop is written with CDK and reviewed
as a template (docs/decisions/0014-main-loop-is-cdk.md); this is for workflows of a data scientist's own.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from workflows.errors import WorkflowsError
from workflows.sdk import Sdk, load

NAME = "review-model"
_SAGEMAKER = "arn:aws:states:::aws-sdk:sagemaker"
_LOOK_AGAIN_SECONDS = 60
_GOES_ON = ("Executing", "Stopping")


def build(sdk: Sdk, *, role: str, client: Any) -> Any:
    """The SDK's Workflow. An execution needs the inputs PipelineName and TopicArn."""
    given = sdk.inputs.ExecutionInput(schema={"PipelineName": str, "TopicArn": str})
    train = sdk.steps.Task(
        "StartTraining",
        resource=f"{_SAGEMAKER}:startPipelineExecution",
        parameters={"PipelineName": given["PipelineName"]},
        result_path="$.Training",
    )
    wait = sdk.steps.Wait("Wait", seconds=_LOOK_AGAIN_SECONDS)
    look = sdk.steps.Task(
        "DescribeTraining",
        resource=f"{_SAGEMAKER}:describePipelineExecution",
        parameters={"PipelineExecutionArn.$": "$.Training.PipelineExecutionArn"},
        result_path="$.Outcome",
    )
    tell = sdk.steps.SnsPublishStep(
        "TellReviewers",
        parameters={
            "TopicArn": given["TopicArn"],
            "Subject": "A training has ended",
            "Message": {
                "pipeline": given["PipelineName"],
                "execution.$": "$.Outcome.PipelineExecutionArn",
                "status.$": "$.Outcome.PipelineExecutionStatus",
                "ended.$": "$.Outcome.LastModifiedTime",
            },
        },
        result_path="$.Told",
    )
    ended = sdk.steps.Choice("HasItEnded")
    status = "$.Outcome.PipelineExecutionStatus"
    for goes_on in _GOES_ON:
        ended.add_choice(sdk.steps.ChoiceRule.StringEquals(variable=status, value=goes_on), wait)
    ended.default_choice(tell)
    chain = sdk.steps.Chain([train, wait, look, ended])
    return sdk.workflow.Workflow(NAME, definition=chain, role=role, execution_input=given, client=client)


def create(workflow: Any) -> str:
    """Create or update the state machine; its ARN."""
    arn = str(workflow.create())
    workflow.update(definition=workflow.definition)
    return arn


def run(workflow: Any, *, pipeline: str, topic: str, limit_seconds: float, poll_seconds: float) -> dict[str, Any]:
    """The description of an execution that has ended; raises WorkflowsError if it takes longer than the limit."""
    execution = workflow.execute(inputs={"PipelineName": pipeline, "TopicArn": topic})
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = execution.describe()
        if described["status"] != "RUNNING":
            return described
        time.sleep(poll_seconds)  # the pace of asking; Step Functions has nothing to wait on
    raise WorkflowsError(f"{execution.execution_arn} still runs after {limit_seconds:.0f} s; look at it in the console")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m workflows.review_model", description=__doc__)
    verb = command.add_mutually_exclusive_group(required=True)
    verb.add_argument("--print", action="store_true", help="show the definition (Amazon States Language)")
    verb.add_argument("--create", action="store_true", help="create or update the state machine; needs --role")
    verb.add_argument("--run", action="store_true", help="create it and run it; needs --role, --pipeline and --topic")
    command.add_argument("--role", default="", metavar="ARN", help="role of the state machine")
    command.add_argument("--pipeline", metavar="NAME", help="SageMaker pipeline that trains")
    command.add_argument("--topic", metavar="ARN", help="SNS topic of the reviewers")
    command.add_argument("--limit", type=float, default=14_400, metavar="SECONDS", help="time to wait with --run")
    command.add_argument("--poll", type=float, default=5, metavar="SECONDS", help="time between two looks with --run")
    return command


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 if all is well, 1 if the execution failed or nothing could be done."""
    options = parser().parse_args(argv)
    try:
        return _carry_out(options)
    except (WorkflowsError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _carry_out(options: argparse.Namespace) -> int:
    needed = {"--role": options.create or options.run, "--pipeline": options.run, "--topic": options.run}
    missing = [name for name, is_needed in needed.items() if is_needed and not getattr(options, name[2:])]
    if missing:
        raise WorkflowsError(f"give {' and '.join(missing)} as well")
    # The definition needs neither an account nor a region, but the SDK wants a client.
    region = "us-east-1" if options.print else None
    workflow = build(load(), role=options.role, client=boto3.client("stepfunctions", region_name=region))
    if options.print:
        print(workflow.definition.to_json(pretty=True))
        return 0
    print(create(workflow), flush=True)
    if options.create:
        return 0
    ended = run(
        workflow,
        pipeline=options.pipeline,
        topic=options.topic,
        limit_seconds=options.limit,
        poll_seconds=options.poll,
    )
    print(ended["status"], ended.get("output") or f"{ended.get('error')}: {ended.get('cause')}")
    return 0 if ended["status"] == "SUCCEEDED" else 1


if __name__ == "__main__":
    sys.exit(main())
