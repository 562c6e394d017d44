"""What a verification finds, and what it lets pass."""

import pytest

from drift_monitor.readers.event_fields import VERIFICATION
from lambdas.verify_endpoint.errors import VerificationError
from lambdas.verify_endpoint.invocations import LatencyBudget
from lambdas.verify_endpoint.logic import parse_budget
from tests.lambdas.release_world import BUCKET, ReleaseWorld, arn, model_files
from tests.lambdas.verify_endpoint.endpoint import ENDPOINT, ServedEndpoint


@pytest.fixture
def endpoint(world: ReleaseWorld) -> ServedEndpoint:
    """A good endpoint with version 1."""
    world.register(1)
    world.packages[arn(1)]["CustomerMetadataProperties"]["evaluation_report"] = f"s3://{BUCKET}/models/1/a b.html"
    return ServedEndpoint(world)


def test_a_good_endpoint_is_verified_with_figures(endpoint: ServedEndpoint) -> None:
    """The variables carry what an approver wants to see, and the page with the evidence."""
    variables = endpoint.verify().variables("eu-west-1")
    assert variables == {
        "EndpointConfigName": "config-2",
        "GoldenRecords": "2",
        "LargestDifference": "0",
        "P95Milliseconds": "10.0",
        "Summary": f"{ENDPOINT} serves version 1: 2 golden records agree within 0, p95 10 ms, "
        "a malformed record is refused",
        "EvaluationReport": f"s3://{BUCKET}/models/1/a b.html",
        "EvidenceUrl": "https://eu-west-1.console.aws.amazon.com/s3/object/artifacts"
        "?region=eu-west-1&prefix=models%2F1%2Fa%20b.html",
    }


def test_the_monitors_know_its_requests(endpoint: ServedEndpoint) -> None:
    """They are captured like any other, and told by their inference ids, all different, of at most 64 characters."""
    endpoint.verify()
    assert all(name.startswith(VERIFICATION) and len(name) <= 64 for name in endpoint.inference_ids)
    assert len(set(endpoint.inference_ids)) == len(endpoint.inference_ids) > 20


def test_a_silent_rollback_is_found(endpoint: ServedEndpoint) -> None:
    """InService without a failure reason, but on the configuration of before."""
    endpoint.live = "config-1"
    with pytest.raises(VerificationError, match=r"SageMaker rolled back cars-dev-production: it serves config-1, not"):
        endpoint.verify()


def test_outputs_may_be_arns(endpoint: ServedEndpoint) -> None:
    """CloudFormation's Ref of an endpoint configuration is its ARN."""
    endpoint.requested = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/config-2"
    assert endpoint.verify().endpoint_config == "config-2"


def test_an_endpoint_that_failed_is_told_with_its_reason(endpoint: ServedEndpoint) -> None:
    """SageMaker's own words are what helps."""
    endpoint.statuses, endpoint.failure = ["Failed"], "the container did not answer /ping"
    with pytest.raises(VerificationError, match=r"is Failed, not InService \(the container did not answer /ping\)"):
        endpoint.verify()


def test_an_update_in_progress_is_waited_for_until_the_time_is_over(endpoint: ServedEndpoint) -> None:
    """Autoscaling makes an endpoint Updating for a while; that is no failure."""
    endpoint.statuses = ["Updating", "Updating", "InService"]
    endpoint.verify()
    endpoint.statuses = ["Updating"]
    with pytest.raises(VerificationError, match="is Updating, not InService"):
        endpoint.verify(seconds=60)


def test_a_variant_with_another_version_is_found(endpoint: ServedEndpoint) -> None:
    """Every variant that answers callers counts; the shadow variant does not."""
    endpoint.models["second"] = arn(7)
    with pytest.raises(VerificationError, match=r"variant second of cars-dev-production serves .*/7, not .*/1"):
        endpoint.verify()


def test_a_stack_without_outputs_is_found(endpoint: ServedEndpoint) -> None:
    """Nothing could be compared, so nothing is verified."""
    endpoint.requested = ""
    with pytest.raises(VerificationError, match="has no output EndpointConfigName"):
        endpoint.verify()


def test_a_difference_within_the_tolerance_passes(endpoint: ServedEndpoint) -> None:
    """1e-4 of the logarithm is 2 USD of 20,000."""
    endpoint.predictions["Kia"] = 20_001.0
    assert endpoint.verify().difference == pytest.approx(5e-5, rel=0.01)


@pytest.mark.parametrize("prediction", [20_100.0, 0.0, -5.0, float("nan"), float("inf")])
def test_broken_parity_is_found_with_the_record(endpoint: ServedEndpoint, prediction: float) -> None:
    """The worst record is shown with both predictions."""
    endpoint.predictions["Kia"] = prediction
    with pytest.raises(VerificationError, match=r"golden record 1 \(Kia, 100\) gives .* instead of 20000"):
        endpoint.verify()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("[1, 2]", "should hold one number per record"),
        ("<html>", "should hold one number per record"),
        ('{"predictions": [null, 1]}', "should hold one number per record"),
        ('{"predictions": [20000.0]}', "2 records were sent, 1 predictions came back"),
    ],
)
def test_an_answer_in_another_form_is_found(endpoint: ServedEndpoint, answer: str, told: str) -> None:
    """Callers rely on the form as much as on the numbers."""
    endpoint.json_answer = answer
    with pytest.raises(VerificationError, match=told):
        endpoint.verify()


@pytest.mark.parametrize(
    ("status", "told"), [(500, "with 500 instead of 400: row 1 has 1 value"), (200, "with a prediction")]
)
def test_a_malformed_record_has_to_be_the_callers_error(endpoint: ServedEndpoint, status: int, told: str) -> None:
    """A crash, or a price for nothing, is a failure."""
    endpoint.malformed_status = status
    with pytest.raises(VerificationError, match=told):
        endpoint.verify()


def test_a_slow_endpoint_is_found(endpoint: ServedEndpoint) -> None:
    """The figure and the budget are told."""
    endpoint.seconds_per_request = 0.25
    with pytest.raises(VerificationError, match="take up to 250 ms, the budget is 200 ms"):
        endpoint.verify()


def test_the_budget_is_not_checked_on_fewer_requests_than_asked_for(endpoint: ServedEndpoint) -> None:
    """When the function's time is over before, the action fails instead of hanging."""
    endpoint.seconds_per_request = 1.0
    with pytest.raises(VerificationError, match=r"answered \d+ of 103 requests before this function's time was over"):
        endpoint.verify(budget=LatencyBudget(milliseconds=5000, invocations=100), seconds=50)


def test_an_archive_that_was_replaced_is_found(endpoint: ServedEndpoint, world: ReleaseWorld) -> None:
    """The endpoint would load another model at its next start."""
    world.register(2, files=model_files() | {"extra": b"1"})
    replacement = world.s3.get_object(Bucket=BUCKET, Key="models/2/model.tar.gz")["Body"].read()
    world.put("models/1/model.tar.gz", replacement)
    with pytest.raises(VerificationError, match="has changed since it was registered"):
        endpoint.verify()


@pytest.mark.parametrize("values", [{"LATENCY_BUDGET_MS": "0"}, {"LATENCY_INVOCATIONS": "many"}])
def test_a_senseless_budget_is_refused(values: dict[str, str]) -> None:
    """A budget of nothing would fail every release, no invocation would pass every one."""
    with pytest.raises(ValueError, match=r"should be positive|invalid literal"):
        parse_budget({"LATENCY_BUDGET_MS": "200", "LATENCY_INVOCATIONS": "20"} | values)
