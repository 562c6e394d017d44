"""Executions: how they go through stages, meet each other, fail, are retried and stopped."""

import threading

import pytest

from tests.local_cloud.codepipeline.fakes import APPROVE, FakePipelines, action, approval, pipeline, stage
from tests.waiting import wait_for


def test_the_creation_of_a_pipeline_starts_an_execution_and_tells_every_change(pipelines: FakePipelines) -> None:
    """As on AWS; events of the three levels come in order, with attempt, version and trigger."""
    pipelines.create(stage("Deploy"))

    (execution_id,) = pipelines.executions()
    described = pipelines.execution(execution_id)
    assert (described["status"], described["trigger"]["triggerType"]) == ("Succeeded", "CreatePipeline")
    assert described["artifactRevisions"][0]["revisionId"] == "v1"
    assert pipelines.states("Pipeline", execution_id) == [("p", "STARTED"), ("p", "SUCCEEDED")]
    assert pipelines.states("Stage", execution_id) == [
        (name, state) for name in ("Source", "Deploy") for state in ("STARTED", "SUCCEEDED")
    ]
    assert pipelines.states("Action", execution_id) == pipelines.states("Stage", execution_id)
    first = pipelines.events[0]
    assert first["source"] == "aws.codepipeline"
    assert first["resources"] == ["arn:aws:codepipeline:us-east-1:123456789012:p"]
    assert first["detail"]["execution-trigger"]["trigger-type"] == "CreatePipeline"
    assert (first["detail"]["version"], first["detail"]["pipeline-execution-attempt"]) == (1.0, 1.0)


def test_a_variable_without_a_value_fails_the_first_execution_and_refuses_later_starts(
    pipelines: FakePipelines,
) -> None:
    """Nobody can give a value at creation; StartPipelineExecution says which names are missing or unknown."""
    pipelines.create(stage("Deploy"), variables=[{"name": "Model"}, {"name": "Reason", "defaultValue": "none"}])

    (first,) = pipelines.executions()
    assert pipelines.execution(first)["status"] == "Failed"
    assert "['Model'] have no default value" in pipelines.execution(first)["statusSummary"]
    assert "['Model']" in pipelines.refusal("StartPipelineExecution", name="p").message
    unknown = [{"name": "Modell", "value": "x"}]
    assert "['Modell']" in pipelines.refusal("StartPipelineExecution", name="p", variables=unknown).message
    assert not pipelines.puppet.done


def test_variables_of_the_pipeline_and_of_actions_reach_configurations(pipelines: FakePipelines) -> None:
    """Pipeline variables, implicit ones, and those of an earlier action's namespace are put in."""
    value = "#{variables.Model} by #{codepipeline.PipelineExecutionId} from #{Source.VersionId}"
    pipelines.puppet.variables["Source"] = {"VersionId": "v7"}
    pipelines.create(
        stage("Deploy", action("Deploy", configuration={"Value": value})),
        variables=[{"name": "Model", "defaultValue": "m0"}],
    )

    execution_id = pipelines.start(variables=[{"name": "Model", "value": "m1"}])

    assert pipelines.ended(execution_id) == "Succeeded"
    resolved = {"Value": f"m1 by {execution_id} from v7"}
    assert pipelines.puppet.done[-1] == ("Deploy", resolved)
    assert pipelines.execution(execution_id)["variables"] == [{"name": "Model", "resolvedValue": "m1"}]
    listed = pipelines.call("ListActionExecutions", pipelineName="p", filter={"pipelineExecutionId": execution_id})
    deploy, source = listed["actionExecutionDetails"]
    assert (deploy["input"]["configuration"], deploy["input"]["resolvedConfiguration"]) == ({"Value": value}, resolved)
    assert source["output"]["outputVariables"] == {"VersionId": "v7"}
    assert source["output"]["outputArtifacts"][0]["s3location"]["key"].startswith("p/Code/")


def test_an_unknown_variable_fails_the_action(pipelines: FakePipelines) -> None:
    """The failure names the reference, the field, and what there is."""
    pipelines.create(stage("Deploy", action("Deploy", configuration={"Value": "#{Source.Nothing}"})))

    (execution_id,) = pipelines.executions()
    summary = pipelines.execution(execution_id)["statusSummary"]
    assert "#{Source.Nothing} in the configuration field Value cannot be resolved" in summary
    assert "codepipeline.PipelineExecutionId" in summary


def test_the_same_request_token_starts_once(pipelines: FakePipelines) -> None:
    """A repeated request gets the same execution; another request with the token is a conflict."""
    pipelines.create(stage("Deploy"), variables=[{"name": "V", "defaultValue": "0"}])

    first = pipelines.start(clientRequestToken="t")

    assert pipelines.start(clientRequestToken="t") == first
    other = pipelines.refusal(
        "StartPipelineExecution", name="p", clientRequestToken="t", variables=[{"name": "V", "value": "1"}]
    )
    assert other.code == "ConflictException"
    assert len(pipelines.executions()) == 2


def test_a_failed_action_fails_its_execution_with_its_message(pipelines: FakePipelines) -> None:
    """The message is in the summary, in the state, in the action's details, and in its event; later stages wait."""
    pipelines.create(stage("Deploy"), stage("After"))
    pipelines.puppet.failures["Deploy"] = ["the alarm is red"]

    execution_id = pipelines.start()

    assert pipelines.ended(execution_id) == "Failed"
    summary = pipelines.execution(execution_id)["statusSummary"]
    assert summary == "Action Deploy in stage Deploy failed: the alarm is red"
    state = pipelines.stage("Deploy")
    assert state["latestExecution"]["status"] == "Failed"
    error = {"code": "JobFailed", "message": "the alarm is red"}
    assert state["actionStates"][0]["latestExecution"]["errorDetails"] == error
    listed = pipelines.call("ListActionExecutions", pipelineName="p", filter={"pipelineExecutionId": execution_id})
    assert listed["actionExecutionDetails"][0]["output"]["executionResult"]["errorDetails"] == error
    (event,) = [event["detail"] for event in pipelines.events if event["detail"]["state"] == "FAILED"][:1]
    assert event["execution-result"]["external-execution-summary"] == "the alarm is red"
    assert event["execution-result"]["error-code"] == "JobFailed"
    assert pipelines.stage("After")["latestExecution"]["pipelineExecutionId"] != execution_id


def test_actions_of_one_run_order_run_together_and_the_next_after_them(pipelines: FakePipelines) -> None:
    """A slow action holds back the following group, not its neighbour; a failure waits for the neighbour."""
    first, second = (action(name, runOrder=1) for name in ("One", "Two"))
    pipelines.create(stage("Deploy", first, second, action("Three", runOrder=2)))
    pipelines.puppet.hold("One")
    pipelines.puppet.failures["Two"] = ["no"]

    execution_id = pipelines.start()
    pipelines.in_stage("Deploy", execution_id)
    pipelines.puppet.release("One")

    assert pipelines.ended(execution_id) == "Failed"
    statuses = [item["latestExecution"].get("status") for item in pipelines.stage("Deploy")["actionStates"][:2]]
    assert statuses == ["Succeeded", "Failed"]
    assert [name for name, _ in pipelines.puppet.done].count("Three") == 1


def test_a_newer_execution_supersedes_one_that_waits_but_not_one_in_a_stage(pipelines: FakePipelines) -> None:
    """Of three executions the first is in the stage, the second waits and gives way to the third."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    first = pipelines.start()
    pipelines.in_stage("Deploy", first)
    second = pipelines.start()
    pipelines.waits_for("Deploy", second)
    third = pipelines.start()

    assert pipelines.ended(second) == "Superseded"
    assert pipelines.execution(second)["statusSummary"] == f"Superseded by execution {third}"
    assert pipelines.states("Pipeline", second)[-1] == ("p", "SUPERSEDED")
    pipelines.puppet.release("Deploy")
    assert (pipelines.ended(first), pipelines.ended(third)) == ("Succeeded", "Succeeded")


def test_queued_executions_go_one_after_another_in_their_order(pipelines: FakePipelines) -> None:
    """None is superseded, and the stage takes them as they came."""
    pipelines.create(
        stage("Deploy", action("Deploy", configuration={"Value": "#{variables.N}"})),
        mode="QUEUED",
        variables=[{"name": "N", "defaultValue": "0"}],
    )
    pipelines.puppet.hold("Deploy")
    started = [pipelines.start(variables=[{"name": "N", "value": str(number)}]) for number in (1, 2, 3)]
    pipelines.waits_for("Deploy", started[2])
    waiting = [item["pipelineExecutionId"] for item in pipelines.stage("Deploy")["inboundExecutions"]]
    pipelines.puppet.release("Deploy")

    assert waiting == started[1:]
    assert [pipelines.ended(execution_id) for execution_id in started] == ["Succeeded"] * 3
    assert [given["Value"] for name, given in pipelines.puppet.done if name == "Deploy"] == ["0", "1", "2", "3"]


def test_parallel_executions_do_not_wait_for_each_other(pipelines: FakePipelines) -> None:
    """Two are in the same stage at the same time."""
    pipelines.create(stage("Deploy"), mode="PARALLEL")
    pipelines.puppet.hold("Deploy")
    before = len(pipelines.puppet.works)
    started = [pipelines.start(), pipelines.start()]

    def in_deploy() -> set[str]:
        return {work.execution_id for work in pipelines.puppet.works[before:] if work.action.name == "Deploy"}

    wait_for(lambda: in_deploy() == set(started), what="both executions to be in the stage")
    pipelines.puppet.release("Deploy")
    assert [pipelines.ended(execution_id) for execution_id in started] == ["Succeeded", "Succeeded"]


def test_a_disabled_transition_holds_executions_back(pipelines: FakePipelines) -> None:
    """The reason is told; the newest waiting execution goes on when the transition is enabled."""
    pipelines.create(stage("Deploy"))
    where = {"pipelineName": "p", "stageName": "Deploy", "transitionType": "Inbound"}
    pipelines.call("DisableStageTransition", **where, reason="freeze")
    older = pipelines.start()
    pipelines.waits_for("Deploy", older)
    newer = pipelines.start()
    pipelines.waits_for("Deploy", newer)

    transition = pipelines.stage("Deploy")["inboundTransitionState"]
    assert (transition["enabled"], transition["disabledReason"]) == (False, "freeze")
    pipelines.call("EnableStageTransition", **where)
    assert (pipelines.ended(older), pipelines.ended(newer)) == ("Superseded", "Succeeded")


@pytest.mark.parametrize(("mode", "again"), [("FAILED_ACTIONS", ["Two"]), ("ALL_ACTIONS", ["One", "Two"])])
def test_a_failed_stage_is_retried(pipelines: FakePipelines, mode: str, again: list[str]) -> None:
    """Failed actions or all of them run again, then the execution goes on; the events say RESUMED and attempt 2."""
    pipelines.create(stage("Deploy", action("One"), action("Two")), stage("After"))
    pipelines.puppet.failures["Two"] = ["once"]
    execution_id = pipelines.start()
    assert pipelines.ended(execution_id) == "Failed"
    before = len(pipelines.puppet.done)
    where = {"pipelineName": "p", "stageName": "Deploy", "pipelineExecutionId": execution_id}

    pipelines.call("RetryStageExecution", **where, retryMode=mode)

    assert pipelines.ended(execution_id) == "Succeeded"
    assert sorted(name for name, _ in pipelines.puppet.done[before:]) == ["After", *again]
    assert ("p", "RESUMED") in pipelines.states("Pipeline", execution_id)
    assert pipelines.events[-1]["detail"]["pipeline-execution-attempt"] == 2.0
    assert pipelines.stage("Deploy")["retryStageMetadata"]["manualStageRetryAttempt"] == 1
    assert pipelines.refusal("RetryStageExecution", **where, retryMode=mode).code == "StageNotRetryableException"


def test_only_the_latest_execution_of_a_stage_is_retried(pipelines: FakePipelines) -> None:
    """An older failure must not overwrite what a newer execution did; nor may it run on a changed structure."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.failures["Deploy"] = ["once", "twice"]
    older = pipelines.start()
    pipelines.ended(older)
    newer = pipelines.start()
    pipelines.ended(newer)
    where = {"pipelineName": "p", "stageName": "Deploy", "retryMode": "FAILED_ACTIONS"}

    refused = pipelines.refusal("RetryStageExecution", **where, pipelineExecutionId=older)
    assert refused.code == "NotLatestPipelineExecutionException"
    pipelines.call("UpdatePipeline", pipeline=pipeline(stage("Deploy"), stage("More")))
    refused = pipelines.refusal("RetryStageExecution", **where, pipelineExecutionId=newer)
    assert refused.code == "StageNotRetryableException"


def test_a_stop_waits_for_what_runs(pipelines: FakePipelines) -> None:
    """The action in progress ends, nothing follows, and the reason is kept; a second stop is refused."""
    pipelines.create(stage("Deploy", action("Deploy"), action("Later", runOrder=2)), stage("After"))
    pipelines.puppet.hold("Deploy")
    execution_id = pipelines.start()
    pipelines.in_stage("Deploy", execution_id)
    where = {"pipelineName": "p", "pipelineExecutionId": execution_id}

    pipelines.call("StopPipelineExecution", **where, reason="wrong model")

    assert pipelines.execution(execution_id)["status"] == "Stopping"
    assert pipelines.refusal("StopPipelineExecution", **where).code == "DuplicatedStopRequestException"
    pipelines.puppet.release("Deploy")
    assert pipelines.ended(execution_id) == "Stopped"
    assert pipelines.execution(execution_id)["statusSummary"] == "wrong model"
    assert pipelines.stage("Deploy")["actionStates"][0]["latestExecution"]["status"] == "Succeeded"
    assert [name for name, _ in pipelines.puppet.done].count("Later") == 1
    assert pipelines.stage("After")["latestExecution"]["pipelineExecutionId"] != execution_id
    assert pipelines.refusal("StopPipelineExecution", **where).code == "PipelineExecutionNotStoppableException"


def test_a_stop_with_abandon_waits_for_nothing_and_can_be_retried(pipelines: FakePipelines) -> None:
    """The action is Abandoned, the stage Stopped; the stage is then free and can be run again."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    execution_id = pipelines.start()
    pipelines.in_stage("Deploy", execution_id)

    pipelines.call("StopPipelineExecution", pipelineName="p", pipelineExecutionId=execution_id, abandon=True)

    assert pipelines.ended(execution_id) == "Stopped"
    state = pipelines.stage("Deploy")
    assert state["latestExecution"]["status"] == "Stopped"
    assert state["actionStates"][0]["latestExecution"]["status"] == "Abandoned"
    assert pipelines.states("Action", execution_id)[-1] == ("Deploy", "ABANDONED")
    pipelines.puppet.release("Deploy")
    where = {"pipelineName": "p", "stageName": "Deploy", "pipelineExecutionId": execution_id}
    pipelines.call("RetryStageExecution", **where, retryMode="FAILED_ACTIONS")
    assert pipelines.ended(execution_id) == "Succeeded"


def test_an_execution_that_waits_is_stopped_at_once(pipelines: FakePipelines) -> None:
    """It is in no stage, so there is nothing to wait for."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    occupant = pipelines.start()
    pipelines.in_stage("Deploy", occupant)
    waiting = pipelines.start()
    pipelines.waits_for("Deploy", waiting)

    pipelines.call("StopPipelineExecution", pipelineName="p", pipelineExecutionId=waiting)

    assert pipelines.ended(waiting) == "Stopped"
    assert pipelines.stage("Deploy")["inboundExecutions"] == []
    pipelines.puppet.release("Deploy")
    assert pipelines.ended(occupant) == "Succeeded"


def test_an_approval_needs_its_token_and_takes_one_decision(pipelines: FakePipelines) -> None:
    """A wrong token, a wrong action and a second decision are refused; the decision tells who and why."""
    pipelines.call("CreatePipeline", pipeline=pipeline(APPROVE, stage("Deploy")))
    (execution_id,) = pipelines.executions()
    token = pipelines.approval_token("Approve", "Approve")

    wrong = approval("Approve", "0" * 8 + token[8:])
    assert pipelines.refusal("PutApprovalResult", **wrong).code == "InvalidApprovalTokenException"
    elsewhere = approval("Approve", token) | {"actionName": "Other"}
    assert pipelines.refusal("PutApprovalResult", **elsewhere).code == "ActionNotFoundException"
    pipelines.decide(token, summary="metrics are fine")

    assert pipelines.ended(execution_id) == "Succeeded"
    latest = pipelines.stage("Approve")["actionStates"][0]["latestExecution"]
    assert (latest["summary"], latest["lastUpdatedBy"]) == ("metrics are fine", "arn:aws:iam::123456789012:root")
    assert "token" not in latest
    again = pipelines.refusal("PutApprovalResult", **approval("Approve", token))
    assert again.code == "ApprovalAlreadyCompletedException"


def test_a_rejection_fails_the_execution_with_the_reason(pipelines: FakePipelines) -> None:
    """What comes after it does not run; both views of the action name the person."""
    pipelines.call("CreatePipeline", pipeline=pipeline(APPROVE, stage("Deploy")))
    (execution_id,) = pipelines.executions()

    pipelines.decide(pipelines.approval_token("Approve", "Approve"), status="Rejected", summary="too slow")

    assert pipelines.ended(execution_id) == "Failed"
    assert "Rejected by arn:aws:iam::123456789012:root: too slow" in pipelines.execution(execution_id)["statusSummary"]
    latest = pipelines.stage("Approve")["actionStates"][0]["latestExecution"]
    details = pipelines.call("ListActionExecutions", pipelineName="p")["actionExecutionDetails"]
    (detail,) = [detail for detail in details if detail["stageName"] == "Approve"]
    assert latest["lastUpdatedBy"] == detail["updatedBy"] == "arn:aws:iam::123456789012:root"
    assert [name for name, _ in pipelines.puppet.done] == ["Source"]


def test_an_approval_that_is_superseded_at_its_door_keeps_the_one_inside(pipelines: FakePipelines) -> None:
    """The one that waits for a person is not disturbed by newer executions, whose own turn comes later."""
    pipelines.call("CreatePipeline", pipeline=pipeline(APPROVE))
    (first,) = pipelines.executions()
    token = pipelines.approval_token("Approve", "Approve")
    second = pipelines.start()
    pipelines.waits_for("Approve", second)

    pipelines.decide(token)

    assert pipelines.ended(first) == "Succeeded"
    pipelines.in_stage("Approve", second)
    assert pipelines.approval_token("Approve", "Approve") != token


def test_source_revisions_are_for_source_actions(pipelines: FakePipelines) -> None:
    """They reach the source action; other actions and revisions of other kinds of source are refused."""
    pipelines.create(stage("Deploy"))
    revision = {"actionName": "Source", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "v3"}

    pipelines.ended(pipelines.start(sourceRevisions=[revision]))

    work = pipelines.puppet.works[-2]
    assert (work.action.name, work.source_revisions) == ("Source", {"S3_OBJECT_VERSION_ID": "v3"})
    for wrong in ({"actionName": "Deploy"}, {"revisionType": "COMMIT_ID"}):
        pipelines.refusal("StartPipelineExecution", name="p", sourceRevisions=[revision | wrong])


def test_an_update_is_for_later_executions(pipelines: FakePipelines) -> None:
    """An execution goes on with the version it began with."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    old = pipelines.start()
    pipelines.in_stage("Deploy", old)
    pipelines.call("UpdatePipeline", pipeline=pipeline(stage("Deploy"), stage("More")))
    pipelines.puppet.release("Deploy")
    pipelines.ended(old)
    new = pipelines.start()
    pipelines.ended(new)

    assert [pipelines.execution(item)["pipelineVersion"] for item in (old, new)] == [1, 2]
    assert [name for name, _ in pipelines.puppet.done].count("More") == 1


def test_a_reset_ends_everything_silently(pipelines: FakePipelines) -> None:
    """Threads are gone, nothing more is told, and the account is empty."""
    pipelines.create(stage("Deploy"))
    pipelines.puppet.hold("Deploy")
    running = pipelines.start()
    pipelines.in_stage("Deploy", running)
    pipelines.waits_for("Deploy", pipelines.start())
    before = len(pipelines.events)

    pipelines.engine.reset()

    assert len(pipelines.events) == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("codepipeline-p")]
    assert pipelines.call("ListPipelines") == {"pipelines": []}
    assert pipelines.refusal("GetPipelineState", name="p").code == "PipelineNotFoundException"


def test_a_defect_of_an_action_type_ends_the_action(pipelines: FakePipelines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for ever, and the message says that it is the local cloud's fault."""
    pipelines.create(stage("Deploy"))

    def broken(_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(pipelines.puppet, "run", broken)

    execution_id = pipelines.start()
    assert pipelines.ended(execution_id) == "Failed"
    summary = pipelines.execution(execution_id)["statusSummary"]
    assert "Internal error of the local cloud: ZeroDivisionError: oops" in summary
