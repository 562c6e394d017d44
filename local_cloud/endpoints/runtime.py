"""InvokeEndpoint: one request, one variant, one answer.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
What else happens to a request (metrics, data capture, shadow copies) is handed over here and done elsewhere.
"""

import time
from collections.abc import Mapping
from typing import Any

from local_cloud.clock import Clock
from local_cloud.endpoints.book import HostingBook
from local_cloud.endpoints.capture_events import CapturedCall
from local_cloud.endpoints.connections import ServerAnswer
from local_cloud.endpoints.endpoint import Endpoint, EndpointStatus
from local_cloud.endpoints.fleet import Variant
from local_cloud.endpoints.invocation_metrics import Invocation, InvocationMetrics, MetricOwner
from local_cloud.endpoints.shadow import ShadowCopies
from local_cloud.endpoints.variant_server import ServerUnavailableError
from local_cloud.sagemaker.refusals import refuse
from local_cloud.service import Operation, RequestContext, Service, ServiceError
from local_cloud.stores import Partitioned

MOST_BYTES = 6 * 2**20
_SERVING = (EndpointStatus.IN_SERVICE, EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK)
_REFUSED = (
    "TargetModel",
    "TargetContainerHostname",
    "InferenceComponentName",
    "EnableExplanations",
    "SessionId",
    "PrefixAwareId",
)
_SHOWN_BYTES = 1024
_MICROSECONDS = 1e6


class Runtime:
    """The service `sagemaker-runtime`."""

    def __init__(
        self, books: Partitioned[HostingBook], *, clock: Clock, metrics: InvocationMetrics, shadows: ShadowCopies
    ) -> None:
        self._books = books
        self._clock = clock
        self._metrics = metrics
        self._shadows = shadows

    def service(self) -> Service:
        """The table of operations."""
        note = "Real-time invocations of whole answers; 60 s, 6 MB."
        return Service("sagemaker-runtime", {"InvokeEndpoint": Operation(self._invoke, note=note)})

    def _invoke(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        arrived, started = self._clock.now(), time.perf_counter()
        refuse(params, _REFUSED)
        if len(params["Body"]) > MOST_BYTES:
            raise ServiceError("413", f"HTTP content length exceeded {MOST_BYTES} bytes.", status=413)
        endpoint = self._serving(context, params["EndpointName"])
        taken = endpoint.router.take(params.get("TargetVariant"))
        if taken is None:
            raise _missing(context, endpoint.name, variant=params.get("TargetVariant"))
        fleet, variant = taken
        call = CapturedCall(
            moment=arrived,
            body=params["Body"],
            content_type=params.get("ContentType"),
            answer=b"",
            answer_content_type=None,
            inference_id=params.get("InferenceId"),
            custom_attributes=params.get("CustomAttributes"),
        )
        headers = _container_headers(params)
        try:
            if (shadow := fleet.shadow) is not None and fleet.wants_shadow():
                self._shadows.copy(endpoint, shadow, call, headers)
            answer = self._answer(endpoint, variant, call, headers, started=started)
        finally:
            variant.leave()
        return _output(answer, variant)

    def _answer(
        self, endpoint: Endpoint, variant: Variant, call: CapturedCall, headers: Mapping[str, str], *, started: float
    ) -> ServerAnswer:
        """The container's answer, measured and captured. Raises ModelError or ServiceUnavailable."""
        asked, status = time.perf_counter(), 0
        try:
            answer = variant.server.invoke(call.body, headers)
            status = answer.status
        except TimeoutError:
            raise _model_error(endpoint, 0, _timed_out().encode()) from None
        except ServerUnavailableError as error:
            message = f"The container of variant {variant.spec.name} did not answer: {error}."
            raise ServiceError("ServiceUnavailable", message, status=503) from error
        finally:
            answered = time.perf_counter()
            owner = MetricOwner(endpoint.account, endpoint.region, endpoint.name, variant.spec.name)
            latency = (answered - asked) * _MICROSECONDS
            overhead = (asked - started) * _MICROSECONDS
            self._metrics.add(owner, Invocation(status, latency, overhead, variant.spec.instance_count))
        if not 200 <= answer.status < 300:
            raise _model_error(endpoint, answer.status, answer.body)
        if variant.capture is not None and variant.capture.wants():
            variant.capture.offer(call.answered(answer.body, answer.headers.get("content-type")))
        return answer

    def _serving(self, context: RequestContext, name: str) -> Endpoint:
        endpoint = self._books.of(context).endpoints.get(name.lower())
        if endpoint is None or endpoint.status not in _SERVING:
            raise _missing(context, name)
        return endpoint


def _container_headers(params: Mapping[str, Any]) -> dict[str, str]:
    """The headers that SageMaker passes on to the container."""
    members = {
        "Content-Type": "ContentType",
        "Accept": "Accept",
        "X-Amzn-SageMaker-Custom-Attributes": "CustomAttributes",
        "X-Amzn-SageMaker-Inference-Id": "InferenceId",
        "X-Amzn-SageMaker-Target-Variant": "TargetVariant",
    }
    return {header: params[member] for header, member in members.items() if params.get(member)}


def _output(answer: ServerAnswer, variant: Variant) -> dict[str, Any]:
    output: dict[str, Any] = {"Body": answer.body, "InvokedProductionVariant": variant.spec.name}
    if content_type := answer.headers.get("content-type"):
        output["ContentType"] = content_type
    if attributes := answer.headers.get("x-amzn-sagemaker-custom-attributes"):
        output["CustomAttributes"] = attributes
    return output


def _missing(context: RequestContext, name: str, *, variant: str | None = None) -> ServiceError:
    """Endpoints that are being created, deleted, or failed do not exist for the runtime."""
    what = f"Variant {variant} of endpoint {name}" if variant else f"Endpoint {name}"
    return ServiceError("ValidationError", f"{what} of account {context.account} not found.")


def _timed_out() -> str:
    return (
        "Your invocation timed out while waiting for a response from container primary. Review the latency metrics "
        "for each container in Amazon CloudWatch, resolve the issue, and try again."
    )


def _model_error(endpoint: Endpoint, status: int, body: bytes) -> ServiceError:
    side = "client" if 400 <= status < 500 else "server"
    text = body[:_SHOWN_BYTES].decode(errors="replace")
    group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
    console = f"https://{endpoint.region}.console.aws.amazon.com/cloudwatch/home?region={endpoint.region}"
    return ServiceError(
        "ModelError",
        f'Received {side} error ({status}) from primary with message "{text}". See '
        f"{console}#logEventViewer:group={group} in account {endpoint.account} for more information.",
        status=424,
        members={
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": f"arn:aws:logs:{endpoint.region}:{endpoint.account}:log-group:{group}",
        },
    )
