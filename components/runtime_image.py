"""The one image of every job and model server, as a CDK image asset.

Must not build anything at synth: the CLI builds from the asset's folder at deployment, and the tag is the hash of that
folder, so the same sources are the same image.
"""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from components.source_asset import all_but


class RuntimeImage(Construct):
    """Image of `dockerfile`, built from `paths` of the repository except what matches a pattern of `without`.

    `uri` names the image by its content; `repository` is where the deployment pushes it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source_root: Path,
        dockerfile: str,
        paths: Sequence[str],
        without: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        asset = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(source_root),
            file=dockerfile,
            exclude=all_but([dockerfile, *paths], without=without),
            ignore_mode=IgnoreMode.DOCKER,
            # SageMaker's instance types of this project are x86, whatever builds the image.
            platform=ecr_assets.Platform.LINUX_AMD64,
        )
        self.uri = asset.image_uri
        self.repository: ecr.IRepository = asset.repository
