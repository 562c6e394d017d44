"""InvokeEndpoint: routing, headers, errors, crashes; and what is measured of it."""

import json
from collections import Counter
from typing import Any

import pytest

from local_cloud.endpoints import variant_server
from local_cloud.service import ServiceError
from tests.local_cloud.endpoints.fakes import FakeHosting
from tests.local_cloud.endpoints.requests import ENDPOINT, variant
from tests.waiting import wait_for


def _two_variants(hosting: FakeHosting, *weights: float) -> None:
    names = [hosting.add_model(f"v{number}") for number in range(1, len(weights) + 1)]
    variants = [variant(name, name=name, weight=weight) for name, weight in zip(names, weights, strict=True)]
    hosting.call("CreateEndpointConfig", EndpointConfigName="two", ProductionVariants=variants)
    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName="two")
    hosting.await_status("InService")


def _refusal(hosting: FakeHosting, **params: Any) -> ServiceError:
    with pytest.raises(ServiceError) as refusal:
        hosting.invoke(**params)
    return refusal.value


def test_headers_reach_the_model_and_its_own_come_back(hosting: FakeHosting) -> None:
    """Content type, Accept, custom attributes and inference id go to the container, its headers to the caller."""
    hosting.serve("v1")

    answer = hosting.invoke(
        b"echo", ContentType="text/csv", Accept="text/csv", CustomAttributes="trace=1", InferenceId="request-1"
    )

    sent = json.loads(answer["Body"])
    assert (sent["Content-Type"], sent["Accept"]) == ("text/csv", "text/csv")
    assert sent["X-Amzn-SageMaker-Custom-Attributes"] == "trace=1"
    assert sent["X-Amzn-SageMaker-Inference-Id"] == "request-1"
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert (answer["CustomAttributes"], answer["InvokedProductionVariant"]) == ("version=v1", "champion")


def test_weights_divide_the_traffic_exactly(hosting: FakeHosting) -> None:
    """Weights 3 and 1 give 75 and 25 of 100 requests; a changed weight counts at once."""
    _two_variants(hosting, 3, 1)

    assert Counter(hosting.answered_by() for _ in range(100)) == {"v1": 75, "v2": 25}
    sizes = [{"VariantName": "v1", "DesiredWeight": 0.0}]
    hosting.call("UpdateEndpointWeightsAndCapacities", EndpointName=ENDPOINT, DesiredWeightsAndCapacities=sizes)
    hosting.await_status("InService")
    assert {hosting.answered_by() for _ in range(10)} == {"v2"}


def test_a_target_variant_answers_whatever_its_weight(hosting: FakeHosting) -> None:
    """TargetVariant overrides the weights; a name that there is not is refused."""
    _two_variants(hosting, 1, 0)

    assert hosting.invoke(TargetVariant="v2")["InvokedProductionVariant"] == "v2"
    refusal = _refusal(hosting, TargetVariant="v3")
    assert (refusal.code, refusal.status) == ("ValidationError", 400)
    assert "Variant v3 of endpoint" in refusal.message


def test_an_endpoint_that_is_not_there_is_a_validation_error(hosting: FakeHosting) -> None:
    """The runtime knows no endpoint that does not exist or is not in service."""
    assert _refusal(hosting).message == f"Endpoint {ENDPOINT} of account 123456789012 not found."
    hosting.add_model("v1", exits=True)
    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=hosting.add_config("v1"))
    hosting.await_status("Failed")
    assert _refusal(hosting).code == "ValidationError"


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (500, "server"), (302, "server")])
def test_an_error_of_the_model_is_a_model_error(hosting: FakeHosting, status: int, side: str) -> None:
    """Any answer but 2xx is 424 ModelError with the original status and message."""
    hosting.serve("v1", status=status)

    refusal = _refusal(hosting, body=b"x")

    assert (refusal.code, refusal.status) == ("ModelError", 424)
    assert f'Received {side} error ({status}) from primary with message "v1:x"' in refusal.message
    assert (refusal.members["OriginalStatusCode"], refusal.members["OriginalMessage"]) == (status, "v1:x")


def test_a_body_that_is_too_large_is_refused(hosting: FakeHosting) -> None:
    """More than 6 MB: 413, as the runtime's front end answers."""
    hosting.serve("v1")

    assert _refusal(hosting, body=b"x" * (6 * 2**20 + 1)).status == 413


def test_a_server_that_died_is_started_again_and_answers(hosting: FakeHosting) -> None:
    """The request over which the server dies goes to its successor; the log tells of it."""
    hosting.serve("v1")

    assert hosting.invoke(b"die once")["Body"] == b"v1:die once"
    assert hosting.status_page()["servers"][0]["restarts"] == 1
    (lines,) = hosting.streams[f"/aws/sagemaker/Endpoints/{ENDPOINT}"].values()
    notice = "The server ended with exit code 3; it is started again."
    wait_for(lambda: notice in lines, what="the notice in the log")


def test_a_request_that_kills_every_server_is_given_up(hosting: FakeHosting) -> None:
    """After three servers died over one request it is answered 503; the endpoint goes on."""
    hosting.serve("v1")

    refusal = _refusal(hosting, body=b"die")

    assert (refusal.code, refusal.status) == ("ServiceUnavailable", 503)
    assert hosting.answered_by() == "v1"


def test_a_model_that_takes_too_long_is_a_model_error(hosting: FakeHosting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer in time the caller gets ModelError with original status 0."""
    hosting.serve("v1", seconds=5)
    monkeypatch.setattr(variant_server.VariantServer.invoke, "__kwdefaults__", {"seconds": 0.2})

    refusal = _refusal(hosting)

    assert refusal.code == "ModelError"
    assert "Received server error (0) from primary" in refusal.message
    assert "timed out" in refusal.message


def test_what_is_measured_of_invocations(hosting: FakeHosting) -> None:
    """Each request counts once in every invocation metric of its variant, with its latency in microseconds."""
    hosting.serve("v1", instances=2, seconds=0.01)
    for _ in range(5):
        hosting.invoke()

    def gathered() -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for datum in list(hosting.metrics):
            assert datum["namespace"] == "AWS/SageMaker"
            assert datum["dimensions"] == {"EndpointName": ENDPOINT, "VariantName": "champion"}
            for value, count in zip(datum["values"], datum["counts"], strict=True):
                found.setdefault(datum["metric_name"], []).extend([value] * int(count))
        return found

    metrics = wait_for(
        lambda: found if len((found := gathered()).get("Invocations", [])) == 5 else None,
        what="five invocations to be recorded",
    )

    assert sum(metrics["Invocations"]) == 5
    assert metrics["InvocationsPerInstance"] == [0.5] * 5
    assert metrics["Invocation5XXErrors"] == metrics["Invocation4XXErrors"] == [0.0] * 5
    assert len(metrics["ModelLatency"]) == len(metrics["OverheadLatency"]) == 5
    assert all(10_000 < latency < 5_000_000 for latency in metrics["ModelLatency"])


def test_errors_are_counted_by_their_class(hosting: FakeHosting) -> None:
    """A 5xx of the model is an Invocation5XXErrors and an InvocationModelErrors."""
    hosting.serve("v1", status=503)
    _refusal(hosting)

    def totals() -> dict[str, float]:
        found: Counter[str] = Counter()
        for datum in list(hosting.metrics):
            weighted = zip(datum["values"], datum["counts"], strict=True)
            found[datum["metric_name"]] += sum(value * count for value, count in weighted)
        return dict(found)

    found = wait_for(lambda: totals() if hosting.metrics else None, what="the metrics")

    assert (found["Invocation5XXErrors"], found["InvocationModelErrors"], found["Invocation4XXErrors"]) == (1, 1, 0)
