"""Every request is authorized and answered in the protocol of its service, by the engine that owns it."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.local_cloud.moto.roles import new_role, refusal
from tests.running_cloud import REGION, RunningCloud


def test_a_role_without_the_action_is_refused_in_the_words_of_aws(cloud: RunningCloud) -> None:
    """A call that no policy allows answers AccessDenied and names caller, action and resource."""
    s3 = cloud.role_client(
        "s3", new_role(cloud, "reader", {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket-a/*"})
    )
    cloud.client("s3").create_bucket(Bucket="bucket-a")

    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="bucket-a", Key="x", Body=b"1")

    code, message = refusal(refused)
    assert code == "AccessDenied"
    assert (
        "assumed-role/reader/test is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::bucket-a/x"
        in message
    )


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ssm", "describe_parameters", "AccessDeniedException"),
        ("sagemaker", "list_pipelines", "AccessDeniedException"),
        ("lambda", "list_functions", "AccessDeniedException"),
        ("sqs", "list_queues", "AccessDenied"),
        ("iam", "list_roles", "AccessDenied"),
        ("sns", "list_topics", "AuthorizationError"),
        ("cloudformation", "list_stacks", "AccessDenied"),
    ],
)
def test_a_refusal_comes_in_the_protocol_of_the_service(
    cloud: RunningCloud, service: str, operation: str, code: str
) -> None:
    """JSON, query and REST services each answer a refusal with their own error code."""
    client = cloud.role_client(service, new_role(cloud, "nobody"))

    with pytest.raises(ClientError) as refused:
        getattr(client, operation)()

    assert refusal(refused)[0] == code


def test_an_operation_that_is_not_emulated_is_refused_by_name(cloud: RunningCloud) -> None:
    """An operation of an owned service outside its table answers an error that names it, not a made-up success."""
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker").list_domains()

    assert "sagemaker:ListDomains is not emulated by the local cloud" in refusal(refused)[1]


def test_an_operation_that_moto_lacks_is_refused_by_name(cloud: RunningCloud) -> None:
    """moto's NotImplementedError reaches the client as an error, not as an HTML page."""
    with pytest.raises(ClientError) as refused:
        cloud.client("athena").list_engine_versions()

    assert "athena:ListEngineVersions is not emulated by the local cloud" in refusal(refused)[1]


def test_a_malformed_request_of_a_foreign_client_is_refused(cloud: RunningCloud) -> None:
    """Owned services validate requests by botocore's model, whatever client sent them."""
    request = urllib.request.Request(
        cloud.endpoint,
        data=json.dumps({"PipelineName": 5}).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "SageMaker.DescribePipeline",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/sagemaker/aws4_request",
        },
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)

    assert refused.value.code == 400
    assert "Invalid type for parameter PipelineName" in json.loads(refused.value.read())["Message"]
