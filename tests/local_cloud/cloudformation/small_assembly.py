"""A small cloud assembly as CDK writes it, without CDK: a stack with a function, and one that imports from it."""

import hashlib
import json
from pathlib import Path
from typing import Any

_BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
_REPOSITORY = "cdk-hnb659fds-container-assets-${AWS::AccountId}-${AWS::Region}"
_VERSION = "/cdk-bootstrap/hnb659fds/version"
IMAGE_TAG = "1a6e7a9"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def write_assembly(folder: Path, *, answer: int = 1, timeout: int = 10, broken: bool = False) -> Path:
    """Write `Small-App` and `Small-Data` into a folder and return it.

    `answer` changes the function's code, `timeout` a queue in place; `broken` adds a parameter that cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = folder / "asset.code"
    code.mkdir(exist_ok=True)
    (code / "index.py").write_text(f"def handler(event, context):\n    return {answer}\n")
    (folder / "image").mkdir(exist_ok=True)
    (folder / "image" / "Dockerfile").write_text("FROM scratch\n")
    artifacts: dict[str, Any] = {}
    # The importing stack comes first in the manifest: the order of deployment is not the order of the file.
    _stack(
        folder, artifacts, "Small-App", _app(f"{_hash(str(answer))}.zip"), needs=["Small-Data"], code=_hash(str(answer))
    )
    _stack(folder, artifacts, "Small-Data", _data(timeout, broken=broken), needs=[])
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    return folder


def _data(timeout: int, *, broken: bool) -> dict[str, Any]:
    queue = {
        "Type": "AWS::SQS::Queue",
        "Properties": {"VisibilityTimeout": timeout},
        "Metadata": {"aws:cdk:path": "Small-Data/Queue/Resource"},
    }
    taken = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": _VERSION, "Type": "String", "Value": "1"},
        "DependsOn": "Queue",
        "Metadata": {"aws:cdk:path": "Small-Data/Taken/Resource"},
    }
    arn = {"Fn::GetAtt": ["Queue", "Arn"]}
    return {
        "Resources": {"Queue": queue, **({"Taken": taken} if broken else {})},
        "Outputs": {"QueueArn": {"Value": arn, "Export": {"Name": "Small-Data:QueueArn"}}},
    }


def _app(code_key: str) -> dict[str, Any]:
    return {
        "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": _VERSION}},
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": {"Fn::Sub": _BUCKET}, "S3Key": code_key},
                    "Handler": "index.handler",
                    "Runtime": "python3.12",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Environment": {"Variables": {"QUEUE": {"Fn::ImportValue": "Small-Data:QueueArn"}}},
                },
            },
        },
        "Outputs": {"FunctionName": {"Value": {"Ref": "Function"}}},
    }


def _stack(
    folder: Path,
    artifacts: dict[str, Any],
    name: str,
    template: dict[str, Any],
    *,
    needs: list[str],
    code: str | None = None,
) -> None:
    body = json.dumps(template)
    (folder / f"{name}.template.json").write_text(body)
    files = {_hash(body): _file(f"{name}.template.json", "file", f"{_hash(body)}.json")}
    images = {}
    if code is not None:
        files[code] = _file("asset.code", "zip", f"{code}.zip")
        images[IMAGE_TAG] = {
            "source": {"directory": "image"},
            "destinations": {"here": {"repositoryName": _REPOSITORY, "imageTag": IMAGE_TAG}},
        }
    assets = {"version": "55.0.0", "files": files, "dockerImages": images}
    (folder / f"{name}.assets.json").write_text(json.dumps(assets))
    bootstrap = {"requiresBootstrapStackVersion": 6, "bootstrapStackVersionSsmParameter": _VERSION}
    artifacts[f"{name}.assets"] = {
        "type": "cdk:asset-manifest",
        "properties": {"file": f"{name}.assets.json", **bootstrap},
    }
    artifacts[name] = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {
            "templateFile": f"{name}.template.json",
            "stackTemplateAssetObjectUrl": f"s3://{_BUCKET}/{_hash(body)}.json",
            "tags": {"project": "small"},
            **bootstrap,
        },
        "dependencies": [f"{name}.assets", *needs],
    }


def _file(path: str, packaging: str, key: str) -> dict[str, Any]:
    return {
        "source": {"path": path, "packaging": packaging},
        "destinations": {"here": {"bucketName": _BUCKET, "objectKey": key}},
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
