"""Template text to definitions."""

import json

import pytest

from local_cloud.cloudformation.errors import TemplateError
from local_cloud.cloudformation.template import parse_template

_YAML = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties:
      QueueName: !Sub "${AWS::StackName}-queue"
      Tags:
        - {Key: owner, Value: !GetAtt Role.Arn}
        - {Key: since, Value: 2012-10-17}
        - {Key: same, Value: !If [IsProd, !Ref A, !Join [",", [x, y]]]}
"""


def test_yaml_short_forms_mean_the_same_as_the_long_ones() -> None:
    """Hand-written YAML gives what CDK writes as JSON, and a date stays the text that a policy needs."""
    queue = parse_template(_YAML).resources["Queue"]

    assert queue.deletion_policy == "Retain"
    assert queue.properties["QueueName"] == {"Fn::Sub": "${AWS::StackName}-queue"}
    assert [tag["Value"] for tag in queue.properties["Tags"]] == [
        {"Fn::GetAtt": ["Role", "Arn"]},
        "2012-10-17",
        {"Fn::If": ["IsProd", {"Ref": "A"}, {"Fn::Join": [",", ["x", "y"]]}]},
    ]


def test_resource_attributes_are_read() -> None:
    """Dependencies may be one name or a list; the construct path comes from CDK's metadata."""
    body = {
        "Resources": {
            "A": {"Type": "T", "DependsOn": "B", "Metadata": {"aws:cdk:path": "Stack/A/Resource"}},
            "B": {"Type": "T", "UpdateReplacePolicy": "Retain", "Condition": "C"},
        },
        "Outputs": {"O": {"Value": 1, "Export": {"Name": "exported"}}},
    }

    template = parse_template(json.dumps(body))

    assert template.resources["A"].depends_on == ("B",)
    assert template.resources["A"].construct_path == "Stack/A/Resource"
    assert (template.resources["B"].update_replace_policy, template.resources["B"].condition) == ("Retain", "C")
    assert template.outputs["O"].export_name == "exported"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"Resources": {}}, "At least one Resources member"),
        ({"Resources": {"A": {}}}, "/Resources/A"),
        ({"Resources": {"A": {"Type": "T"}}, "Transform": "AWS::Serverless-2016-10-31"}, "Transform"),
        ({"Resources": {"A": {"Type": "T"}}, "Resource": {}}, r"\[Resource\]"),
        ({"Resources": {"A": {"Type": "T", "Propertys": {}}}}, "'Propertys'"),
        ({"Resources": {"A": {"Type": "T", "CreationPolicy": {}}}}, "CreationPolicy"),
        ({"Resources": {"A": {"Type": "T", "DeletionPolicy": "Keep"}}}, "Unrecognized deletion policy Keep"),
        ({"Resources": {"A": {"Type": "T"}}, "Outputs": {"O": {}}}, "/Outputs/O"),
    ],
)
def test_a_wrong_template_is_refused_by_name(body: dict[str, object], named: str) -> None:
    """The message names the section or the resource that is wrong."""
    with pytest.raises(TemplateError, match=named):
        parse_template(json.dumps(body))


@pytest.mark.parametrize("text", ["{", "- a\n- b", "a: [", ""])
def test_text_that_is_no_template_is_refused(text: str) -> None:
    """Neither broken JSON nor YAML of another shape gets through."""
    with pytest.raises(TemplateError, match="Template format error"):
        parse_template(text)
