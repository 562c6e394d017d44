"""Records local images in the local cloud's ECR, so that deploys find them there as they would on AWS."""

from pathlib import Path
from typing import Any

from local_cloud.images import ImageStore, LocalImage, image_digest, image_manifest


def publish_image(
    store: ImageStore, ecr: Any, *, account: str, region: str, repository: str, tag: str, context: Path, dockerfile: str
) -> LocalImage:
    """Build an image asset unless it is there, and record it in its repository.

    `tag` is the hash of the asset's sources, as in a cloud assembly: the same tag is the same content. Raises
    DockerfileError, ImageError or, from `ecr`, ClientError.
    """
    uri = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}"
    image = store.find(uri) or store.add(uri, context, dockerfile)
    record_image(ecr, image, account=account, repository=repository, tag=tag)
    return image


def record_image(ecr: Any, image: LocalImage, *, account: str, repository: str, tag: str) -> bool:
    """Put the image's manifest into a repository; False if it was there already."""
    try:
        ecr.put_image(
            registryId=account,
            repositoryName=repository,
            imageTag=tag,
            imageManifest=image_manifest(image.id),
            imageDigest=image_digest(image.id),
        )
    except ecr.exceptions.ImageAlreadyExistsException:
        return False
    return True
