"""Deploying a cloud assembly without the CDK CLI."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_cloud.assembly import AssemblyError, Deployment, ImageAsset, deploy_assembly
from tests.local_cloud.cloudformation.small_assembly import IMAGE_TAG, write_assembly
from tests.running_cloud import ACCOUNT, REGION, RunningCloud


def _deployment(cloud: RunningCloud, **more: Any) -> Deployment:
    settings: dict[str, Any] = {"publish_image": lambda image: None} | more
    return Deployment(account=ACCOUNT, region=REGION, client=cloud.client, **settings)


def test_stacks_and_assets_are_deployed_in_order(cloud: RunningCloud, tmp_path: Path) -> None:
    """The exporting stack comes first, the code runs, the image is handed on, and the outputs come back."""
    images: list[ImageAsset] = []
    lines: list[str] = []
    assembly = write_assembly(tmp_path / "cdk.out", answer=42)

    outputs = deploy_assembly(assembly, _deployment(cloud, publish_image=images.append, progress=lines.append))

    assert [line.split(":")[0] for line in lines] == ["Small-Data", "Small-App"]
    answer = cloud.client("lambda").invoke(FunctionName=outputs["Small-App"]["FunctionName"])
    assert json.load(answer["Payload"]) == 42
    repository = f"cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"
    assert images == [ImageAsset(IMAGE_TAG, repository, assembly / "image", "Dockerfile")]
    stack = cloud.client("cloudformation").describe_stacks(StackName="Small-App")["Stacks"][0]
    assert stack["Tags"] == [{"Key": "project", "Value": "small"}]


def test_a_second_deployment_changes_only_what_changed(cloud: RunningCloud, tmp_path: Path) -> None:
    """The same assembly changes nothing; new code updates the function in place."""
    lines: list[str] = []
    deployment = _deployment(cloud, progress=lines.append)
    first = deploy_assembly(write_assembly(tmp_path / "one"), deployment)
    lines.clear()
    deploy_assembly(tmp_path / "one", deployment)
    again = list(lines)
    changed = deploy_assembly(write_assembly(tmp_path / "two", answer=7), deployment)

    assert again == ["Small-Data: no changes", "Small-App: no changes"]
    assert changed["Small-App"] == first["Small-App"]
    answer = cloud.client("lambda").invoke(FunctionName=changed["Small-App"]["FunctionName"])
    assert json.load(answer["Payload"]) == 7


def test_a_failed_stack_is_reported_with_resource_and_construct(cloud: RunningCloud, tmp_path: Path) -> None:
    """The error names the stack, the resource, the reason and where the app defines it; a repaired app then deploys."""
    with pytest.raises(
        AssemblyError, match=r"Small-Data ended in ROLLBACK_COMPLETE.*Taken.*construct: Small-Data/Taken"
    ):
        deploy_assembly(write_assembly(tmp_path / "broken", broken=True), _deployment(cloud))

    assert "Small-App" in deploy_assembly(write_assembly(tmp_path / "repaired"), _deployment(cloud))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda manifest: manifest["artifacts"].pop("Small-Data"), "Small-Data"),
        (lambda manifest: manifest["artifacts"]["Small-Data"]["dependencies"].append("Small-App"), "need each other"),
    ],
)
def test_dependencies_that_cannot_be_met_are_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], Any], message: str
) -> None:
    """A missing stack or a cycle is found before anything is deployed."""
    assembly = write_assembly(tmp_path)
    manifest = json.loads((assembly / "manifest.json").read_text())
    spoil(manifest)
    (assembly / "manifest.json").write_text(json.dumps(manifest))

    def no_client(service: str) -> Any:
        raise AssertionError(f"{service} was used")

    deployment = Deployment(account=ACCOUNT, region=REGION, client=no_client, publish_image=lambda image: None)
    with pytest.raises(AssemblyError, match=message):
        deploy_assembly(assembly, deployment)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    """The message says what to do first."""
    deployment = Deployment(account=ACCOUNT, region=REGION, client=str, publish_image=lambda image: None)

    with pytest.raises(AssemblyError, match="Run cdk synth first"):
        deploy_assembly(tmp_path, deployment)
