"""Custom resources: their function really runs, and what it answers counts."""

from typing import Any

import pytest

from local_cloud.cloudformation.custom_resources import CallbackDesk
from local_cloud.cloudformation.errors import HandlerFailure
from tests.local_cloud.cloudformation.live import deploy, destroy, outputs, resource
from tests.running_cloud import RunningCloud

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_CODE = """
import json, urllib.request

def handler(event, context):
    wanted = event["ResourceProperties"]["Wanted"]
    answer = {
        "Status": "FAILED" if wanted == "broken" else "SUCCESS",
        "Reason": "it is broken",
        "PhysicalResourceId": event.get("PhysicalResourceId", "made-by-function"),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Answer": event["RequestType"] + " " + wanted},
    }
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


def _template(wanted: str) -> dict[str, Any]:
    function = resource(
        "AWS::Lambda::Function",
        Code={"ZipFile": _CODE},
        Handler="index.handler",
        Runtime="python3.12",
        Role={"Fn::GetAtt": ["Role", "Arn"]},
    )
    custom = resource("Custom::Thing", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}, Wanted=wanted)
    return {
        "Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=_TRUST),
        "Function": function,
        "Thing": custom,
    }


def test_the_function_decides_id_and_attributes(cloud: RunningCloud) -> None:
    """It is called on creation, on a change and on deletion, and its data is what Fn::GetAtt gives."""
    asked = {"Answer": {"Value": {"Fn::GetAtt": ["Thing", "Answer"]}}}

    ids = deploy(cloud, _template("this"), Outputs=asked)
    first = outputs(cloud)
    deploy(cloud, _template("that"), Outputs=asked)

    assert ids["Thing"] == "made-by-function"
    assert (first, outputs(cloud)) == ({"Answer": "Create this"}, {"Answer": "Update that"})
    destroy(cloud)


def test_a_refusal_of_the_function_fails_the_stack(cloud: RunningCloud) -> None:
    """Its reason is the reason of the failed resource."""
    with pytest.raises(AssertionError, match="it is broken"):
        deploy(cloud, _template("broken"))


def test_an_answer_reaches_the_one_who_waits_for_it() -> None:
    """An answer for nobody is refused, a late one is an error that tells how long was waited."""
    desk = CallbackDesk("http://127.0.0.1:1")
    request_id, url = desk.open()

    assert url.endswith(request_id)
    assert desk.complete(request_id, {"Status": "SUCCESS"})
    assert desk.wait(request_id, seconds=1) == {"Status": "SUCCESS"}
    assert not desk.complete(request_id, {})
    unanswered, _ = desk.open()
    with pytest.raises(HandlerFailure, match="did not answer"):
        desk.wait(unanswered, seconds=0)
