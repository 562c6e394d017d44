"""Structures that AWS refuses, and those that the local cloud refuses because it could not carry them out."""

from typing import Any

import pytest

from tests.local_cloud.codepipeline.fakes import SOURCE, FakePipelines, action, pipeline, stage

_SOURCE_ACTION = SOURCE["actions"][0]
_DEPLOY = stage("Deploy")


def _with_inputs(*names: str) -> dict[str, Any]:
    return stage("Deploy", action("Deploy", inputArtifacts=[{"name": name} for name in names]))


def _bare(**changes: Any) -> dict[str, Any]:
    """A valid declaration with changes; a value of None takes a member away."""
    declared = {**pipeline(_DEPLOY), **changes}
    return {key: value for key, value in declared.items() if value is not None}


_REFUSED = {
    "one stage": (_bare(stages=[SOURCE]), "Pipeline has only 1 stage(s)"),
    "no source first": (_bare(stages=[_DEPLOY, stage("B")]), "should start with a stage that only contains source"),
    "source later": (
        pipeline(stage("B", action("S", "Source", outputArtifacts=[{"name": "X"}]))),
        "Source actions are only allowed in the first stage",
    ),
    "two stages of a name": (pipeline(_DEPLOY, _DEPLOY), "Stage names must be unique within a pipeline: Deploy"),
    "two actions of a name": (pipeline(stage("B", action("A"), action("A"))), "unique within a stage: A"),
    "unknown input": (pipeline(_with_inputs("Nothing")), "Input artifact Nothing of action Deploy"),
    "input of the same run order": (
        pipeline(stage("B", action("A", outputArtifacts=[{"name": "X"}]), action("C", inputArtifacts=[{"name": "X"}]))),
        "Input artifact X of action C",
    ),
    "an output twice": (
        pipeline(stage("B", action("A", outputArtifacts=[{"name": "Code"}]))),
        "Output artifact names must be unique within a pipeline: Code",
    ),
    "a namespace twice": (pipeline(stage("B", action("A", namespace="Source"))), "Namespaces must be unique"),
    "a reserved namespace": (pipeline(stage("B", action("A", namespace="variables"))), "variables is reserved"),
    "no artifact store": (_bare(artifactStore=None), "either artifactStore or artifactStores"),
    "queued V1": (_bare(pipelineType="V1", executionMode="QUEUED"), "QUEUED requires pipeline type V2"),
    "variables in V1": (_bare(pipelineType=None, variables=[{"name": "A"}]), "variables require pipeline type V2"),
    "a variable twice": (_bare(variables=[{"name": "A"}, {"name": "A"}]), "variable names must be unique"),
    "git triggers": (
        _bare(
            triggers=[{"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Source"}}]
        ),
        "triggers are not emulated",
    ),
    "stage conditions": (pipeline(stage("B", onFailure={"result": "ROLLBACK"})), "onFailure of stage B"),
    "an unknown provider": (
        pipeline(stage("B", {**action("A"), "actionTypeId": {**action("A")["actionTypeId"], "provider": "CodeBuild"}})),
        "Action A of stage B: the action type Invoke/AWS/CodeBuild/1 is not emulated",
    ),
    "another region": (pipeline(stage("B", action("A", region="eu-west-1"))), "other regions (eu-west-1)"),
    "an unknown key": (pipeline(stage("B", action("A", configuration={"Nope": "1"}))), "unknown keys ['Nope']"),
    "a time limit on what is no approval": (
        pipeline(stage("B", action("A", timeoutInMinutes=5))),
        "timeoutInMinutes is available for manual approval actions only",
    ),
    "too many artifacts": (
        pipeline(stage("B", action("A", outputArtifacts=[{"name": f"X{i}"} for i in range(6)]))),
        "6 output artifacts, but its type takes 0 to 5",
    ),
    "a link that is none": (
        pipeline(stage("B", action("A", "Approval", configuration={"ExternalEntityLink": "report"}))),
        "ExternalEntityLink must be a URL",
    ),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_a_wrong_structure_is_refused_with_its_reason(pipelines: FakePipelines, case: str) -> None:
    """Creation and update refuse it alike, name the stage or action, and change nothing."""
    declaration, message = _REFUSED[case]

    refused = pipelines.refusal("CreatePipeline", pipeline=declaration)

    assert message in refused.message
    assert refused.code in (
        "InvalidStructureException",
        "InvalidActionDeclarationException",
        "InvalidStageDeclarationException",
    )
    assert pipelines.call("ListPipelines") == {"pipelines": []}
    pipelines.create(_DEPLOY)
    assert message in pipelines.refusal("UpdatePipeline", pipeline=declaration).message
    assert pipelines.call("GetPipeline", name="p")["pipeline"]["version"] == 1


def test_values_outside_their_pattern_are_refused(pipelines: FakePipelines) -> None:
    """The constraints of AWS's API model come first."""
    refused = pipelines.refusal("CreatePipeline", pipeline=_bare(name="has spaces"))
    assert refused.code == "ValidationException"
    assert "Value 'has spaces' at 'pipeline.name'" in refused.message
