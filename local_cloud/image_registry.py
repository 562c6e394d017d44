"""Records local images in the local cloud's ECR, so that deploys find them there as they would on AWS."""

from collections.abc import Callable
from typing import Any

from local_cloud.assembly import ImageAsset
from local_cloud.images import ImageStore, LocalImage, image_digest, image_manifest


def publisher(
    store: ImageStore, client: Callable[[str], Any], *, account: str, region: str
) -> Callable[[ImageAsset], None]:
    """What a `Deployment` builds image assets with: into `store`, unless they are there, and into their repository.

    An asset's tag is the hash of its sources: the same tag is the same content. The function raises DockerfileError,
    ImageError, or ClientError from `client("ecr")`.
    """

    def publish(asset: ImageAsset) -> None:
        uri = f"{account}.dkr.ecr.{region}.amazonaws.com/{asset.repository}:{asset.tag}"
        image = store.find(uri) or store.add(uri, asset.context, asset.dockerfile)
        record_image(client("ecr"), image, account=account, repository=asset.repository, tag=asset.tag)
        store.ready(image)

    return publish


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
