"""Pipelines as things that are kept: versions, tags, pages, deletion."""

from tests.local_cloud.codepipeline.fakes import FakePipelines, pipeline, stage

_ARN = "arn:aws:codepipeline:us-east-1:123456789012:p"


def test_versions_are_kept(pipelines: FakePipelines) -> None:
    """GetPipeline gives the newest or the one asked for, with AWS's defaults filled in."""
    pipelines.create(stage("Deploy"))
    pipelines.call("UpdatePipeline", pipeline=pipeline(stage("Deploy"), stage("More")))

    newest, first = (pipelines.call("GetPipeline", name="p", **version) for version in ({}, {"version": 1}))

    assert [len(answer["pipeline"]["stages"]) for answer in (newest, first)] == [3, 2]
    assert newest["pipeline"]["version"] == 2
    assert newest["metadata"]["pipelineArn"] == _ARN
    assert first["pipeline"]["stages"][1]["actions"][0]["runOrder"] == 1
    assert pipelines.refusal("GetPipeline", name="p", version=3).code == "PipelineVersionNotFoundException"
    assert pipelines.refusal("CreatePipeline", pipeline=pipeline(stage("B"))).code == "PipelineNameInUseException"


def test_tags_are_set_and_removed(pipelines: FakePipelines) -> None:
    """By the ARN of the pipeline."""
    pipelines.create(stage("Deploy"))
    pipelines.call("TagResource", resourceArn=_ARN, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    pipelines.call("UntagResource", resourceArn=_ARN, tagKeys=["a"])

    assert pipelines.call("ListTagsForResource", resourceArn=_ARN)["tags"] == [{"key": "b", "value": "2"}]
    unknown = pipelines.refusal("ListTagsForResource", resourceArn=f"{_ARN}x")
    assert unknown.code == "ResourceNotFoundException"


def test_lists_have_pages(pipelines: FakePipelines) -> None:
    """Executions and action executions come newest first, each once; a strange token is refused."""
    pipelines.create(stage("Deploy"))
    for _ in range(2):
        pipelines.ended(pipelines.start())

    first = pipelines.call("ListPipelineExecutions", pipelineName="p", maxResults=2)
    rest = pipelines.call("ListPipelineExecutions", pipelineName="p", nextToken=first["nextToken"])

    seen = [*first["pipelineExecutionSummaries"], *rest["pipelineExecutionSummaries"]]
    assert [item["pipelineExecutionId"] for item in seen] == pipelines.executions()
    assert "nextToken" not in rest
    assert len(pipelines.call("ListActionExecutions", pipelineName="p")["actionExecutionDetails"]) == 6
    strange = pipelines.refusal("ListPipelineExecutions", pipelineName="p", nextToken="x")
    assert strange.code == "InvalidNextTokenException"


def test_executions_can_be_found_by_the_stage_they_succeeded_in(pipelines: FakePipelines) -> None:
    """What a rollback would look for."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.failures["Deploy"] = ["no"]
    failed = pipelines.start()
    pipelines.ended(failed)

    wanted = {"succeededInStage": {"stageName": "Deploy"}}
    listed = pipelines.call("ListPipelineExecutions", pipelineName="p", filter=wanted)["pipelineExecutionSummaries"]
    assert [item["pipelineExecutionId"] for item in listed] == pipelines.executions()[1:]


def test_the_latest_run_of_each_action_can_be_listed(pipelines: FakePipelines) -> None:
    """After a retry the failed attempt is history."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.failures["Deploy"] = ["once"]
    execution_id = pipelines.start()
    pipelines.ended(execution_id)
    where = {"pipelineName": "p", "stageName": "Deploy", "pipelineExecutionId": execution_id}
    pipelines.call("RetryStageExecution", **where, retryMode="FAILED_ACTIONS")
    pipelines.ended(execution_id)

    def statuses(**wanted: object) -> list[tuple[str, str]]:
        listed = pipelines.call("ListActionExecutions", pipelineName="p", filter=wanted)["actionExecutionDetails"]
        return [(item["actionName"], item["status"]) for item in listed]

    latest = {"pipelineExecutionId": execution_id, "startTimeRange": "Latest"}
    assert statuses(latestInPipelineExecution=latest) == [("Deploy", "Succeeded"), ("Source", "Succeeded")]
    everything = [("Deploy", "Succeeded"), ("Deploy", "Failed"), ("Source", "Succeeded")]
    assert statuses(pipelineExecutionId=execution_id) == everything


def test_a_deleted_pipeline_is_gone_with_its_executions(pipelines: FakePipelines) -> None:
    """What ran tells nothing more, deleting again is fine, and the name is free."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    running = pipelines.start()
    pipelines.in_stage("Deploy", running)

    pipelines.call("DeletePipeline", name="p")
    pipelines.call("DeletePipeline", name="p")

    pipelines.puppet.release("Deploy")
    assert pipelines.refusal("GetPipeline", name="p").code == "PipelineNotFoundException"
    assert pipelines.states("Pipeline", running) == [("p", "STARTED")]
    pipelines.create(stage("Deploy"))
