"""How a data scientist registers a model that no pipeline trained: upload, register, evaluate, and a person approves.

    python -m examples.register_by_hand --model model.tar.gz
    python -m examples.register_by_hand --model model.tar.gz --with model-builder
    python -m examples.register_by_hand --model model.tar.gz --with model-package

The version lands in the group of the pipeline's versions, as PendingManualApproval, and takes the same way from there.
The archive goes below the pipeline's prefix, under its own hash: what jobs and endpoint may read already, and what
nobody can replace by accident.
"""

import argparse
import contextlib
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from releases.errors import ReleasesError
from releases.names import find_names

CONTENT_TYPES = ["text/csv", "application/json", "application/jsonlines"]


@dataclass(frozen=True)
class HandMadeModel:
    """An uploaded archive, its digest, the image that serves it, and the role that may read it."""

    url: str
    sha256: str
    image: str
    role: str

    @property
    def properties(self) -> dict[str, str]:
        """What the registry should know of the version; the release compares the digest with the archive."""
        return {"artifact_sha256": self.sha256, "origin": "notebook"}


def upload(archive: Path, *, bucket: str, pipeline: str) -> HandMadeModel:
    """Put the archive into the artifact bucket; equal archives share one object."""
    content = archive.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    key = f"pipelines/{pipeline}/by-hand/{digest}/model.tar.gz"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    image, role = runtime_of(pipeline)
    return HandMadeModel(url=f"s3://{bucket}/{key}", sha256=digest, image=image, role=role)


def runtime_of(pipeline: str) -> tuple[str, str]:
    """The one image in which the pipeline's jobs run and its models are served, and the jobs' role."""
    definition = boto3.client("sagemaker").describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    steps: list[dict[str, Any]] = json.loads(definition)["Steps"]
    job = next(step["Arguments"] for step in steps if step["Type"] == "Processing")
    return str(job["AppSpecification"]["ImageUri"]), str(job["RoleArn"])


def register_with_boto3(model: HandMadeModel, *, group: str) -> str:
    """Register through the plain API; the version's ARN."""
    answer = boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription="Trained in a notebook",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": model.image, "ModelDataUrl": model.url}],
            "SupportedContentTypes": CONTENT_TYPES,
            "SupportedResponseMIMETypes": CONTENT_TYPES,
        },
        CustomerMetadataProperties=model.properties,
    )
    return str(answer["ModelPackageArn"])


def register_with_model_builder(model: HandMadeModel, *, group: str) -> str:
    """Register through ModelBuilder of SageMaker SDK v3; the version's ARN."""
    # Imported here: the SDK takes seconds to load.
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.serve import ModelBuilder

    builder = ModelBuilder(
        image_uri=model.image,
        s3_model_data_url=model.url,
        role_arn=model.role,
        sagemaker_session=Session(default_bucket=model.url.split("/")[2]),
    )
    arn = builder.register(
        model_package_group_name=group,
        description="Trained in a notebook",
        approval_status="PendingManualApproval",
        content_types=CONTENT_TYPES,
        response_types=CONTENT_TYPES,
        customer_metadata_properties=model.properties,
    )
    return str(arn)


def register_with_model_package(model: HandMadeModel, *, group: str) -> str:
    """Register through ModelPackage of SageMaker SDK v3; the version's ARN."""
    from sagemaker.core.resources import ModelPackage
    from sagemaker.core.shapes.model_card_shapes import ContainersItem, InferenceSpecification

    # SDK 3.27 asks the answer for ModelPackageName, which only unversioned packages have: the version is registered,
    # and then KeyError is raised.
    with contextlib.suppress(KeyError):
        ModelPackage.create(
            model_package_group_name=group,
            model_package_description="Trained in a notebook",
            model_approval_status="PendingManualApproval",
            # A model card's specification, as the SDK wants it here: it has containers and no content types.
            inference_specification=InferenceSpecification(
                containers=[ContainersItem(image=model.image, model_data_url=model.url)]
            ),
            customer_metadata_properties=model.properties,
        )
    newest = boto3.client("sagemaker").list_model_packages(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    return str(newest["ModelPackageSummaryList"][0]["ModelPackageArn"])


WAYS = {
    "boto3": register_with_boto3,
    "model-builder": register_with_model_builder,
    "model-package": register_with_model_package,
}


def main(argv: list[str] | None = None) -> int:
    """Upload and register; 0 if the version is in the registry."""
    parser = argparse.ArgumentParser(prog="python -m examples.register_by_hand", description="Register a model.")
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="model.tar.gz of the notebook")
    parser.add_argument("--stage", default="dev", help="stage to register in (default %(default)s)")
    parser.add_argument("--with", dest="way", choices=WAYS, default="boto3", help="default %(default)s")
    arguments = parser.parse_args(argv)
    try:
        names = find_names(boto3.client("cloudformation"), stage=arguments.stage)
        model = upload(arguments.model, bucket=names.artifact_bucket, pipeline=names.training_pipeline)
        arn = WAYS[arguments.way](model, group=names.group)
    except (ReleasesError, OSError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"registered {arn}, waiting for evidence and approval:")
    print(f"  python -m releases --stage {arguments.stage} evaluate --package {arn}")
    print(f"  python -m releases --stage {arguments.stage} start --version {arn.rsplit('/', 1)[-1]} --approve")
    return 0


if __name__ == "__main__":
    sys.exit(main())
