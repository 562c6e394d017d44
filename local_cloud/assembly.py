"""Deploys a synthesized cloud assembly (`cdk.out`) through the CloudFormation API, without the CDK CLI.

The same templates and assets go the same way as with the CLI, in a fraction of the time: this is the path of the
test suite. It synthesizes nothing and knows no stack by name.
Source: cloud assembly schema of AWS CDK (manifest.json, *.assets.json).
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.errors import LocalCloudError

_BOOTSTRAP_VERSION = "30"
_POLL_SECONDS = 0.02
_TIMEOUT_SECONDS = 600.0
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NO_UPDATE = "No updates are to be performed."


class AssemblyError(LocalCloudError):
    """An assembly that cannot be deployed; the message names the stack, the resource and the reason."""


@dataclass(frozen=True)
class ImageAsset:
    """A container image to build: its tag (the hash of its sources), repository, build context and Dockerfile."""

    tag: str
    repository: str
    context: Path
    dockerfile: str


@dataclass(frozen=True)
class _Stack:
    name: str
    folder: Path
    template: Path
    properties: Mapping[str, Any]
    asset_files: tuple[Path, ...]
    needs: frozenset[str]


@dataclass(frozen=True)
class Deployment:
    """Where an assembly goes. `client` gives a boto3 client of a service, `publish_image` builds an image asset.

    `parameters` are CloudFormation parameters by stack name; `progress` gets a line for each step.
    """

    account: str
    region: str
    client: Callable[[str], Any]
    publish_image: Callable[[ImageAsset], None]
    progress: Callable[[str], None] = lambda line: None
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        """Text of the assembly with its placeholders for account, region and partition filled in."""
        return (
            text.replace("${AWS::AccountId}", self.account)
            .replace("${AWS::Region}", self.region)
            .replace("${AWS::Partition}", "aws")
        )


def deploy_assembly(assembly: Path, deployment: Deployment) -> dict[str, dict[str, str]]:
    """Deploy every stack, in the order of their dependencies; returns the outputs of each stack by name.

    Raises AssemblyError if the folder is no cloud assembly or a stack does not reach a complete state.
    """
    stacks = _in_order(list(_stacks(assembly)))
    _bootstrap(stacks, deployment)
    outputs = {}
    for stack in stacks:
        for file in stack.asset_files:
            _publish(stack, json.loads(file.read_text(encoding="utf-8")), deployment)
        outputs[stack.name] = _deploy(stack, deployment)
    return outputs


def _stacks(assembly: Path) -> Iterator[_Stack]:
    manifest = assembly / "manifest.json"
    if not manifest.is_file():
        raise AssemblyError(f"{assembly} is no cloud assembly: it has no manifest.json. Run cdk synth first.")
    artifacts = json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {})
    # As with the CLI's --all, assemblies within the assembly count only where there is no stack beside them.
    nested = not any(artifact["type"] == "aws:cloudformation:stack" for artifact in artifacts.values())
    for artifact_id, artifact in artifacts.items():
        properties = artifact.get("properties", {})
        if artifact["type"] == "cdk:cloud-assembly" and nested:
            yield from _stacks(assembly / properties["directoryName"])
        if artifact["type"] != "aws:cloudformation:stack":
            continue
        needed = [_artifact(artifacts, name, needed_by=artifact_id) for name in artifact.get("dependencies", [])]
        yield _Stack(
            name=properties.get("stackName", artifact_id),
            folder=assembly,
            template=assembly / properties["templateFile"],
            properties=properties,
            asset_files=tuple(
                assembly / entry["properties"]["file"] for entry in needed if entry["type"] == "cdk:asset-manifest"
            ),
            needs=frozenset(
                entry.get("properties", {}).get("stackName", entry["id"])
                for entry in needed
                if entry["type"] == "aws:cloudformation:stack"
            ),
        )


def _artifact(artifacts: Mapping[str, Any], name: str, *, needed_by: str) -> dict[str, Any]:
    if name not in artifacts:
        raise AssemblyError(f"Stack {needed_by} needs {name}, which is not in the assembly. Run cdk synth again.")
    artifact: dict[str, Any] = artifacts[name] | {"id": name}
    return artifact


def _in_order(stacks: list[_Stack]) -> list[_Stack]:
    ordered: list[_Stack] = []
    waiting = list(stacks)
    while waiting:
        done = {stack.name for stack in ordered}
        ready = [stack for stack in waiting if stack.needs <= done]
        if not ready:
            names = ", ".join(sorted(stack.name for stack in waiting))
            raise AssemblyError(f"The stacks {names} need each other, so none can be deployed first")
        ordered += ready
        waiting = [stack for stack in waiting if stack not in ready]
    return ordered


def _bootstrap(stacks: list[_Stack], deployment: Deployment) -> None:
    """Make what the stacks expect of a bootstrapped environment, as far as it is missing."""
    for stack in stacks:
        name = stack.properties.get("bootstrapStackVersionSsmParameter")
        if name and not _succeeds(deployment.client("ssm").get_parameter, Name=name):
            deployment.client("ssm").put_parameter(Name=name, Value=_BOOTSTRAP_VERSION, Type="String")
    assets = [json.loads(file.read_text(encoding="utf-8")) for stack in stacks for file in stack.asset_files]
    for bucket in _destinations(assets, "files", "bucketName", deployment):
        client = deployment.client("s3")
        if not _succeeds(client.head_bucket, Bucket=bucket):
            client.create_bucket(Bucket=bucket)
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for repository in _destinations(assets, "dockerImages", "repositoryName", deployment):
        client = deployment.client("ecr")
        if not _succeeds(client.describe_repositories, repositoryNames=[repository]):
            client.create_repository(repositoryName=repository)


def _destinations(assets: list[dict[str, Any]], kind: str, key: str, deployment: Deployment) -> list[str]:
    return sorted(
        {
            deployment.filled(destination[key])
            for manifest in assets
            for asset in manifest.get(kind, {}).values()
            for destination in asset["destinations"].values()
        }
    )


def _publish(stack: _Stack, assets: Mapping[str, Any], deployment: Deployment) -> None:
    for asset in assets.get("files", {}).values():
        if "executable" in asset["source"]:
            raise AssemblyError(f"{stack.name}: assets made by a program are not supported; deploy with the CDK CLI")
        source = stack.folder / asset["source"]["path"]
        for destination in asset["destinations"].values():
            bucket, key = deployment.filled(destination["bucketName"]), deployment.filled(destination["objectKey"])
            client = deployment.client("s3")
            if not _succeeds(client.head_object, Bucket=bucket, Key=key):
                packed = asset["source"]["packaging"] == "zip"
                client.put_object(Bucket=bucket, Key=key, Body=_zipped(source) if packed else source.read_bytes())
    for asset in assets.get("dockerImages", {}).values():
        for destination in asset["destinations"].values():
            deployment.publish_image(
                ImageAsset(
                    tag=destination["imageTag"],
                    repository=deployment.filled(destination["repositoryName"]),
                    context=stack.folder / asset["source"]["directory"],
                    dockerfile=asset["source"].get("dockerFile", "Dockerfile"),
                )
            )


def _zipped(folder: Path) -> bytes:
    """The folder as an archive that depends on names, contents and execution rights only."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if file.stat().st_mode & 0o100 else 0o644) << 16
            packed.writestr(entry, file.read_bytes())
    return archive.getvalue()


def _deploy(stack: _Stack, deployment: Deployment) -> dict[str, str]:
    client, started = deployment.client("cloudformation"), time.monotonic()
    known = _status(client, stack.name)
    if known == "ROLLBACK_COMPLETE":
        # A creation that failed cannot be updated; nothing of it is left but its name.
        client.delete_stack(StackName=stack.name)
        known = _settled(client, stack.name)
    changed = _submit(client.create_stack if known is None else client.update_stack, _request(stack, deployment))
    status = _settled(client, stack.name)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise AssemblyError(f"Stack {stack.name} ended in {status}: {_reason(client, stack.name)}")
    outcome = f"{status} in {time.monotonic() - started:.1f} s" if changed else "no changes"
    deployment.progress(f"{stack.name}: {outcome}")
    described = client.describe_stacks(StackName=stack.name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _submit(operation: Callable[..., Any], request: Mapping[str, Any]) -> bool:
    """Start an operation; False if there is nothing to do."""
    try:
        operation(**request)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if message == _NO_UPDATE:
            return False
        raise AssemblyError(f"Stack {request['StackName']}: {message}") from error
    return True


def _request(stack: _Stack, deployment: Deployment) -> dict[str, Any]:
    given = stack.properties.get("parameters", {}) | dict(deployment.parameters.get(stack.name, {}))
    location = deployment.filled(stack.properties.get("stackTemplateAssetObjectUrl", ""))
    request: dict[str, Any] = {
        "StackName": stack.name,
        "Capabilities": _CAPABILITIES,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.properties.get("tags", {}).items()],
    }
    if location.startswith("s3://"):
        path = location.removeprefix("s3://")
        return request | {"TemplateURL": f"https://s3.{deployment.region}.amazonaws.com/{path}"}
    return request | {"TemplateBody": stack.template.read_text(encoding="utf-8")}


def _status(client: Any, name: str) -> str | None:
    try:
        return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


def _settled(client: Any, name: str) -> str | None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while (status := _status(client, name)) and status.endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise AssemblyError(f"Stack {name} is still in {status} after {_TIMEOUT_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)  # CloudFormation gives no signal when it is done
    return status


def _reason(client: Any, name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return "; ".join(
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(failed)
    )


def _succeeds(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError:
        return False
    return True
