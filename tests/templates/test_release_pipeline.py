"""The release pipeline as it would be deployed: one version through all stages, every action with rights of its own."""

import json
from fnmatch import fnmatch
from typing import Any

import pytest

from tests.templates.conftest import Templates
from tests.templates.policies import identity_statements

_STACK = "Cd4ml-dev-Release"
_STAGES = ["Source", "Staging", "VerifyStaging", "Approve", "Production", "VerifyProduction", "Record"]
_MAXIMUM_CONFIGURATION_VALUE = 1000
# Longer than any ARN, name or URI of a deployment.
_LONGEST_VALUE = "x" * 130


@pytest.fixture
def pipeline(templates: Templates) -> dict[str, Any]:
    """Properties of the pipeline."""
    (resource,) = templates.resources("AWS::CodePipeline::Pipeline")
    return resource.properties


@pytest.fixture
def actions(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The one action of each stage, by the stage's name."""
    return {stage["Name"]: stage["Actions"][0] for stage in pipeline["Stages"] if len(stage["Actions"]) == 1}


def _text(value: Any) -> str:
    """A value with something long in the place of each reference."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else _LONGEST_VALUE for part in value["Fn::Join"][1])


def test_the_stages_are_in_order(pipeline: dict[str, Any], actions: dict[str, dict[str, Any]]) -> None:
    """Nothing reaches production before it was verified in staging and approved by a person."""
    assert list(actions) == [stage["Name"] for stage in pipeline["Stages"]] == _STAGES
    assert actions["Approve"]["ActionTypeId"]["Category"] == "Approval"
    assert (pipeline["PipelineType"], pipeline["ExecutionMode"]) == ("V2", "SUPERSEDED")
    assert pipeline["Name"] == "car-prices-dev-release"


def test_the_version_is_a_variable_without_a_default(
    pipeline: dict[str, Any], actions: dict[str, dict[str, Any]]
) -> None:
    """Every stage takes the version from the execution; nothing is released because it is the latest."""
    variables = {variable["Name"]: variable.get("DefaultValue") for variable in pipeline["Variables"]}
    assert variables == {"ModelPackageArn": None, "Reason": "No reason given"}
    for name in ("Staging", "VerifyStaging", "Approve", "Production", "VerifyProduction", "Record"):
        text = json.dumps(actions[name]["Configuration"])
        assert "#{variables.ModelPackageArn}" in text, name


def test_both_environments_get_the_same_template(actions: dict[str, dict[str, Any]], endpoint: dict[str, Any]) -> None:
    """What passed in staging is what goes to production; only names and the number of machines differ."""
    staging, production = (actions[name]["Configuration"] for name in ("Staging", "Production"))
    parameters = {
        name: json.loads(_text(actions[name]["Configuration"]["ParameterOverrides"])) for name in _STAGES[1::3]
    }

    assert staging["TemplatePath"] == production["TemplatePath"]
    for given in parameters.values():
        assert set(given) == set(endpoint["Parameters"])
    different = {name for name, value in parameters["Staging"].items() if value != parameters["Production"][name]}
    assert different == {"EndpointName", "InstanceCount", "MaximumInstanceCount"}
    assert (staging["StackName"], production["StackName"]) == (
        "Cd4ml-dev-CarPricesEndpoint-Staging",
        "Cd4ml-dev-CarPricesEndpoint",
    )


def test_a_failed_production_is_never_replaced(actions: dict[str, dict[str, Any]]) -> None:
    """REPLACE_ON_FAILURE deletes the stack, endpoint and all, and is for staging alone."""
    modes = {name: actions[name]["Configuration"]["ActionMode"] for name in ("Staging", "Production")}

    assert modes == {"Staging": "REPLACE_ON_FAILURE", "Production": "CREATE_UPDATE"}


def test_the_source_is_the_synthesized_template(templates: Templates, actions: dict[str, dict[str, Any]]) -> None:
    """The zip holds the reviewed template and nothing else, under a key that is the hash of its content."""
    configuration = actions["Source"]["Configuration"]
    manifest = json.loads((templates.assembly / f"{_STACK}.assets.json").read_text())
    folder = templates.assembly / manifest["files"][configuration["S3ObjectKey"].removesuffix(".zip")]["source"]["path"]
    file = templates.files["Cd4ml-dev-CarPricesEndpoint"]

    assert [path.name for path in folder.iterdir()] == [file.name]
    assert (folder / file.name).read_bytes() == file.read_bytes()
    assert actions["Staging"]["Configuration"]["TemplatePath"] == f"Source::{file.name}"
    assert configuration["PollForSourceChanges"] == "false"


def test_configuration_values_fit(actions: dict[str, dict[str, Any]]) -> None:
    """CodePipeline takes at most 1000 characters for a value."""
    for name, action in actions.items():
        for key, value in action["Configuration"].items():
            text = _text(value) if isinstance(value, str) or "Fn::Join" in value else ""
            assert len(text) <= _MAXIMUM_CONFIGURATION_VALUE, (name, key)


def test_the_endpoint_stack_is_deployed_by_releases_only(templates: Templates) -> None:
    """It stands in an assembly of its own, which `cdk deploy --all` leaves alone, and needs no bootstrap."""
    endpoint = templates.by_stack["Cd4ml-dev-CarPricesEndpoint"]
    assert templates.files["Cd4ml-dev-CarPricesEndpoint"].parent == templates.assembly / "assembly-Endpoints"
    assert {stack for stack, file in templates.files.items() if file.parent == templates.assembly} == {
        "Cd4ml-dev-DataLake",
        "Cd4ml-dev-Training",
        "Cd4ml-dev-Release",
        "Cd4ml-dev-Monitoring",
    }
    assert "Rules" not in endpoint
    assert "BootstrapVersion" not in endpoint["Parameters"]
    assert not list(templates.files["Cd4ml-dev-CarPricesEndpoint"].parent.glob("*.assets.json"))


def test_every_action_has_a_role_that_only_the_pipeline_assumes(
    templates: Templates, pipeline: dict[str, Any], actions: dict[str, dict[str, Any]]
) -> None:
    """Seven roles for seven actions, and the pipeline's own role can do nothing but assume them."""
    roles = {name: action["RoleArn"]["Fn::GetAtt"][0] for name, action in actions.items()}
    own = pipeline["RoleArn"]["Fn::GetAtt"][0]
    resources = templates.by_stack[_STACK]["Resources"]

    assert len(set(roles.values())) == len(_STAGES)
    for role in roles.values():
        (trust,) = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"AWS": {"Fn::GetAtt": [own, "Arn"]}}
    (statement,) = (
        statement
        for policy, statement in identity_statements(templates)
        if policy.properties.get("Roles") == [{"Ref": own}]
    )
    assert statement["Action"] == ["sts:AssumeRole"]
    assert {arn["Fn::GetAtt"][0] for arn in statement["Resource"]} == set(roles.values())


def test_production_is_out_of_stagings_reach(templates: Templates) -> None:
    """The roles of one environment name neither the stack nor the endpoint nor the alarms of the other."""
    for policy, statement in identity_statements(templates):
        if "DeployStaging" in policy.logical_id or "ReleaseStaging" in policy.logical_id:
            text = json.dumps(statement["Resource"])
            assert "car-prices-dev-production" not in text
            assert "CarPricesEndpoint/" not in text
            assert "CarPricesEndpoint-Alarms" not in text
        if "DeployProduction" in policy.logical_id or "ReleaseProduction" in policy.logical_id:
            text = json.dumps(statement["Resource"])
            assert "staging" not in text.lower()
            for arn in statement["Resource"]:
                last = arn["Fn::Join"][1][-1] if "Fn::Join" in arn else ""
                assert not fnmatch(":alarm:Cd4ml-dev-CarPricesEndpoint-Staging-AlarmsServerErrors-1", last), last
            assert "cloudformation:DeleteStack" not in statement["Action"]


def test_nothing_of_a_release_creates_or_changes_a_role(templates: Templates) -> None:
    """A template that somebody smuggled in could not give itself rights; scaling's service-linked role is AWS's own."""
    for policy, statement in identity_statements(templates):
        for action in statement["Action"]:
            if action.startswith("iam:") and action != "iam:PassRole":
                assert action == "iam:CreateServiceLinkedRole", policy.logical_id
                assert "iam:AWSServiceName" in statement["Condition"]["StringEquals"]


def test_the_live_version_is_no_resource_of_a_stack(templates: Templates) -> None:
    """CloudFormation would write the template's value over it with the next change of a tag."""
    assert not list(templates.resources("AWS::SSM::Parameter"))
    name = "/cd4ml/car_prices/dev/champion"
    assert templates.by_stack[_STACK]["Outputs"]["CarPricesChampionParameter"]["Value"] == name
    readers = [
        function.properties["Environment"]["Variables"]["CHAMPION_PARAMETER"]
        for function in templates.resources("AWS::Lambda::Function")
        if "CHAMPION_PARAMETER" in function.properties["Environment"]["Variables"]
    ]
    assert readers == [name] * 5


def test_the_outputs_name_what_people_use(templates: Templates) -> None:
    """The release command and the runbooks find everything by these."""
    assert set(templates.by_stack[_STACK]["Outputs"]) == {
        "CarPricesReleasePipelineName",
        "CarPricesStartReleaseFunctionName",
        "CarPricesChampionParameter",
        "CarPricesStagingEndpointName",
        "CarPricesProductionEndpointName",
    }
    assert set(templates.by_stack["Cd4ml-dev-Training"]["Outputs"]) >= {
        "ApprovalTopicArn",
        "CarPricesPipelineName",
        "CarPricesModelPackageGroup",
        "CarPricesRetrainingLoopArn",
    }
    assert set(templates.by_stack["Cd4ml-dev-Monitoring"]["Outputs"]) == {
        "CarPricesMonitoringPipelineName",
        "CarPricesStartMonitoringFunctionName",
    }
    assert {"EndpointName", "EndpointConfigName"} == set(templates.by_stack["Cd4ml-dev-CarPricesEndpoint"]["Outputs"])
