"""Models, endpoint configurations and endpoints as resources: what is refused, described, listed, tagged, deleted."""

import io
import tarfile
from typing import Any

import pytest

from tests.local_cloud.endpoints.fakes import ACCOUNT, IMAGE, REGION, ROLE, FakeHosting
from tests.local_cloud.endpoints.requests import CAPTURE, ENDPOINT, variant
from tests.waiting import wait_for

PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/cars/1"


def _create(container: dict[str, Any]) -> dict[str, Any]:
    return {"ModelName": "m", "PrimaryContainer": container, "ExecutionRoleArn": ROLE}


def _package(hosting: FakeHosting, status: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": hosting.add_archive("v1"), "Environment": {"GREETING": "package"}}
    hosting.packages[PACKAGE] = {
        "ModelPackageArn": PACKAGE,
        "ModelApprovalStatus": status,
        "InferenceSpecification": {"Containers": [container]},
    }


def test_a_model_is_described_as_it_was_created(hosting: FakeHosting) -> None:
    """DescribeModel gives the request back with ARN and time; ListModels finds it; DeleteModel forgets it."""
    hosting.add_model("v1")

    described = hosting.call("DescribeModel", ModelName="v1")

    assert described["PrimaryContainer"]["Image"] == IMAGE
    assert described["ModelArn"] == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/v1"
    assert [model["ModelName"] for model in hosting.call("ListModels", NameContains="V")["Models"]] == ["v1"]
    hosting.call("DeleteModel", ModelName="v1")
    assert 'Could not find model "arn:aws' in hosting.refused("DescribeModel", ModelName="v1")


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"Image": "unknown"}, "Requested image unknown not found"),
        ({"Image": IMAGE, "ModelDataUrl": "s3://models/missing.tar.gz"}, "Could not find model data at s3://"),
        ({"Image": IMAGE, "Mode": "MultiModel"}, "PrimaryContainer.Mode = MultiModel is not emulated"),
        ({"Environment": {}}, "A container needs Image or ModelPackageName"),
        ({"ModelPackageName": PACKAGE}, f"Could not find model package {PACKAGE}"),
    ],
)
def test_models_that_could_not_serve_are_refused(hosting: FakeHosting, container: Any, message: str) -> None:
    """An image, model data or a package that does not exist is refused when the model is created."""
    assert message in hosting.refused("CreateModel", **_create(container))


@pytest.mark.parametrize("action", ["sts:AssumeRole", "s3:GetObject"])
def test_the_models_role_must_be_able_to_read_the_archive(hosting: FakeHosting, action: str) -> None:
    """A role that does not trust SageMaker, or may not read the archive, is refused in AWS's words."""
    url = hosting.add_archive("v1")
    hosting.clients.denied.add(action)

    message = hosting.refused("CreateModel", **_create({"Image": IMAGE, "ModelDataUrl": url}))

    assert f"Could not access model data at {url}. Please ensure that the role" in message
    assert action in message


def test_only_an_approved_package_becomes_a_model(hosting: FakeHosting) -> None:
    """CreateModel refuses a package that waits for its approval, and takes it once it is approved."""
    _package(hosting, "PendingManualApproval")
    request = _create({"ModelPackageName": PACKAGE, "Environment": {"MORE": "1"}})

    assert "is PendingManualApproval; only an Approved version" in hosting.refused("CreateModel", **request)
    _package(hosting, "Approved")
    hosting.call("CreateModel", **request)
    hosting.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant("m")])
    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName="c")
    hosting.await_status("InService")

    assert hosting.answered_by() == "v1"
    (lines,) = hosting.streams[f"/aws/sagemaker/Endpoints/{ENDPOINT}"].values()
    wait_for(lambda: "serving v1 as package" in lines, what="the package's environment in the log")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ProductionVariants": [variant("missing")]}, 'Could not find model "arn:aws:sagemaker'),
        ({"ProductionVariants": [{**variant("v1"), "ServerlessConfig": {"MemorySizeInMB": 1024}}]}, "ServerlessConfig"),
        ({"ProductionVariants": [{"VariantName": "a", "ModelName": "v1"}]}, "InstanceType is required for variant a"),
        ({"ProductionVariants": [variant("v1"), variant("v1")]}, "names of variants must be unique"),
        ({"ProductionVariants": [variant("v1", weight=0)]}, "needs an InitialVariantWeight greater than 0"),
        (
            {
                "ProductionVariants": [variant("v1"), variant("v1", name="b")],
                "ShadowProductionVariants": [variant("v1", name="s")],
            },
            "one production variant and one shadow variant",
        ),
        ({"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/x"}}}, "AsyncInferenceConfig is not"),
    ],
)
def test_configurations_that_cannot_be_served_are_refused(hosting: FakeHosting, members: Any, message: str) -> None:
    """Missing models, ambiguous variants, and serverless or asynchronous inference are refused by name."""
    hosting.add_model("v1")
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant("v1")], **members}

    assert message in hosting.refused("CreateEndpointConfig", **request)


def test_a_configuration_keeps_capture_and_shadow(hosting: FakeHosting) -> None:
    """DescribeEndpointConfig gives data capture and shadow variants back; a configuration in use can be deleted."""
    hosting.add_model("v1")
    hosting.add_model("v2")
    name = hosting.add_config("v1", shadow="v2", DataCaptureConfig=CAPTURE)

    described = hosting.call("DescribeEndpointConfig", EndpointConfigName=name)

    assert described["DataCaptureConfig"] == CAPTURE
    assert described["ShadowProductionVariants"][0]["ModelName"] == "v2"
    assert [config["EndpointConfigName"] for config in hosting.call("ListEndpointConfigs")["EndpointConfigs"]] == [name]
    hosting.call("DeleteEndpointConfig", EndpointConfigName=name)
    assert "Could not find endpoint configuration" in hosting.refused("DescribeEndpointConfig", EndpointConfigName=name)


def test_an_endpoint_is_described_with_its_variants(hosting: FakeHosting) -> None:
    """DescribeEndpoint shows weights, counts, images and capture; ListEndpoints filters by status."""
    hosting.add_model("v1")
    hosting.call(
        "CreateEndpoint",
        EndpointName=ENDPOINT,
        EndpointConfigName=hosting.add_config("v1", instances=3, DataCaptureConfig=CAPTURE),
    )

    assert hosting.describe()["EndpointStatus"] == "Creating"
    described = hosting.await_status("InService")

    (shown,) = described["ProductionVariants"]
    assert (shown["VariantName"], shown["CurrentWeight"], shown["CurrentInstanceCount"]) == ("champion", 1.0, 3)
    assert shown["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert "@sha256:" in shown["DeployedImages"][0]["ResolvedImage"]
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert len(hosting.call("ListEndpoints", StatusEquals="InService")["Endpoints"]) == 1
    assert hosting.call("ListEndpoints", StatusEquals="Failed")["Endpoints"] == []
    events = [detail["EndpointStatus"] for detail in hosting.events("SageMaker Endpoint State Change")]
    assert events == ["CREATING", "IN_SERVICE"]


def test_names_are_unique_whatever_their_case(hosting: FakeHosting) -> None:
    """A second resource of the same name is refused, as AWS compares names without case."""
    hosting.serve("v1")

    message = hosting.refused("CreateEndpoint", EndpointName=ENDPOINT.upper(), EndpointConfigName="config-v1")

    assert "Cannot create already existing endpoint" in message


def _traversal() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../escaped"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"no archive", "Failed to extract model data archive"),
        (_traversal(), "would be extracted to"),
        (None, "Failed to download model data"),
    ],
    ids=["no-archive", "traversal", "gone"],
)
def test_model_data_that_cannot_be_used_fails_the_endpoint(
    hosting: FakeHosting, archive: bytes | None, reason: str
) -> None:
    """What was no archive, would be written elsewhere, or is gone since: Failed with AWS's reason, nothing written."""
    hosting.add_model("v1")
    key = "models/v1/model.tar.gz"
    hosting.objects.pop(key)
    if archive is not None:
        hosting.objects[key] = archive

    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=hosting.add_config("v1"))

    assert reason in hosting.await_status("Failed")["FailureReason"]
    assert not list(hosting.directory.rglob("escaped"))


@pytest.mark.parametrize(
    ("denied", "reason"),
    [
        ("s3:GetObject", "Failed to download model data"),
        ("ecr:BatchGetImage", "Please make sure all images included in the model for the production variant champion"),
        ("sts:AssumeRole", "Could not assume role"),
    ],
)
def test_a_permission_that_is_missing_fails_the_endpoint(hosting: FakeHosting, denied: str, reason: str) -> None:
    """Model data, image and role are used with the rights of the model's role; the reason names what is missing."""
    hosting.add_model("v1")
    hosting.clients.denied.add(denied)

    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=hosting.add_config("v1"))

    failure = hosting.await_status("Failed")["FailureReason"]
    assert reason in failure
    assert denied in failure


def test_a_server_that_is_not_healthy_fails_the_endpoint(hosting: FakeHosting) -> None:
    """A server that ends at once gives AWS's reason; the endpoint can then be deleted."""
    hosting.add_model("v1", exits=True)
    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=hosting.add_config("v1"))

    assert (
        "The primary container for production variant champion did not pass the ping health check"
        in (hosting.await_status("Failed")["FailureReason"])
    )
    update = {"EndpointName": ENDPOINT, "EndpointConfigName": "config-v1"}
    assert "it is Failed; delete and create it" in hosting.refused("UpdateEndpoint", **update)
    hosting.call("DeleteEndpoint", EndpointName=ENDPOINT)
    wait_for(lambda: not hosting.call("ListEndpoints")["Endpoints"], what="the endpoint to be gone")


def test_deleting_an_endpoint_ends_its_server_and_removes_its_files(hosting: FakeHosting) -> None:
    """After DeleteEndpoint there is no process and no model on the disk any more."""
    hosting.serve("v1")
    hosting.call("DeleteEndpoint", EndpointName=ENDPOINT)

    wait_for(lambda: not hosting.call("ListEndpoints")["Endpoints"], what="the endpoint to be gone")

    assert not list((hosting.directory / "processes" / "processes").glob("*.json"))
    assert not list((hosting.directory / "state" / "endpoints").iterdir())


def test_a_reset_ends_everything(hosting: FakeHosting) -> None:
    """After a reset nothing is listed and no process runs, even in the middle of an update."""
    hosting.serve("v1")
    hosting.update("config-v1")

    hosting.engine.reset()

    assert hosting.engine.status() == []
    assert hosting.call("ListModels")["Models"] == []
    assert not list((hosting.directory / "processes" / "processes").glob("*.json"))


def test_tags_of_hosting_resources_are_kept_here(hosting: FakeHosting) -> None:
    """Tags given at creation are listed and can be changed."""
    url = hosting.add_archive("v1")
    request = _create({"Image": IMAGE, "ModelDataUrl": url}) | {"Tags": [{"Key": "team", "Value": "pricing"}]}
    arn = hosting.call("CreateModel", **request)["ModelArn"]

    hosting.call("AddTags", ResourceArn=arn, Tags=[{"Key": "stage", "Value": "dev"}])
    hosting.call("DeleteTags", ResourceArn=arn, TagKeys=["team"])

    assert hosting.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "dev"}]
