"""Whether a role may pull an image: SageMaker pulls with the rights of the job's or the model's role."""

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.sagemaker.jobs.failures import denied

_ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+)|@(.+))?")


def pull_refusal(uri: str, *, ecr: Callable[[str], Any]) -> ClientError | None:
    """Why the role may not pull the image, or None if it may, or if the image is not in ECR.

    `ecr` gives a client with the role's rights for a region. An image that does not exist is nobody's refusal: looking
    it up says so better.
    """
    found = _ECR_IMAGE.fullmatch(uri)
    if found is None:
        return None
    account, region, repository, tag, digest = found.groups()
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    try:
        ecr(region).batch_get_image(registryId=account, repositoryName=repository, imageIds=[wanted])
    except ClientError as error:
        return error if denied(error) else None
    return None
