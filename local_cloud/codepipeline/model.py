"""CodePipeline's API model as botocore ships it: shapes, and the constraints that the service checks first."""

import functools

from botocore.loaders import Loader
from botocore.model import ServiceModel

from local_cloud.sagemaker.model import ApiModel


class CodePipelineModel(ApiModel):
    """Shapes of CodePipeline's operations."""

    def __init__(self) -> None:
        self._service = _service_model()


@functools.cache
def _service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("codepipeline", "service-2"), "codepipeline")
