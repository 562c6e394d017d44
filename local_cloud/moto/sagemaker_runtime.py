"""The SageMaker runtime: bodies stay the bytes that were sent, with the content type that the client gave.

Patches: `SageMakerRuntimeResponse.setup_class`, and moto's guess of the protocol of a request.
"""

from typing import Any

import moto.core.responses as core_responses
import moto.core.routing as core_routing
from botocore.model import ServiceModel
from moto.core.request import determine_request_protocol
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

_original_setup = SageMakerRuntimeResponse.setup_class


def install() -> None:
    """Leave requests to models as they are."""
    SageMakerRuntimeResponse.use_raw_body = True
    SageMakerRuntimeResponse.setup_class = _keep_body_as_sent
    core_responses.determine_request_protocol = core_routing.determine_request_protocol = _protocol


def _keep_body_as_sent(self: SageMakerRuntimeResponse, request: Any, *arguments: Any, **named: Any) -> None:
    """A request to a model is bytes of any kind: read before moto takes a form for one and drops it."""
    request.get_data(cache=True, parse_form_data=False)
    _original_setup(self, request, *arguments, **named)


def _protocol(service_model: ServiceModel, content_type: str | None = None) -> str:
    """The content type of a request to a model is that of its data; moto takes it for a sign of the protocol."""
    if service_model.service_name == "sagemaker-runtime":
        return str(service_model.protocol)
    return str(determine_request_protocol(service_model, content_type))
