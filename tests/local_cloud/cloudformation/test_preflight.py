"""What is refused before anything is created."""

from typing import Any

import pytest

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.submission import template_location
from tests.local_cloud.cloudformation.fake_cloud import FakeCloud, queue, template


def test_all_unsupported_types_are_named_at_once() -> None:
    """One message lists each resource with its type and says what is supported; nothing was made."""
    fake = FakeCloud()
    resources = {"A": queue(), "Db": {"Type": "AWS::RDS::DBInstance"}, "Vpc": {"Type": "AWS::EC2::VPC"}}

    refusal = fake.refusal("CreateStack", StackName="s", TemplateBody=template(resources))

    assert "Db (AWS::RDS::DBInstance), Vpc (AWS::EC2::VPC)" in refusal.message
    assert "AWS::SQS::Queue" in refusal.message
    assert "docs/local-cloud.md" in refusal.message
    assert (fake.ledger.log, fake.call("ListStacks")) == ([], {"StackSummaries": []})


@pytest.mark.parametrize(
    ("resources", "sections", "message"),
    [
        ({"A": queue(name={"Fn::Transform": {}})}, {}, "Fn::Transform"),  # type: ignore[arg-type]
        ({"A": queue(name={"Ref": "Nobody"})}, {}, r"Unresolved resource dependencies \[Nobody\]"),  # type: ignore[arg-type]
        ({"A": queue(DependsOn="Nobody")}, {}, r"Unresolved resource dependencies \[Nobody\]"),
        ({"A": queue()}, {"Outputs": {"O": {"Value": {"Ref": "Nobody"}}}}, "in the Outputs block"),
        ({"A": queue(DependsOn="B"), "B": queue(DependsOn="A")}, {}, r"Circular .* \[A, B\]"),
        ({"A": queue()}, {"Declared": {"P": {"Type": "String"}}}, r"\[P\] must have values"),
    ],
)
def test_a_template_that_cannot_work_is_refused(
    resources: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    """Functions, references, cycles and parameters are checked first."""
    fake = FakeCloud()

    with pytest.raises(ValidationError, match=message):
        fake.call("CreateStack", StackName="s", TemplateBody=template(resources, dict(sections)))

    assert fake.ledger.log == []


def test_a_rule_stops_a_stack_with_its_own_words() -> None:
    """CDK's check of the bootstrap version is such a rule."""
    old = {"Fn::Contains": [["1", "2"], {"Ref": "Version"}]}
    rules = {"Check": {"Assertions": [{"Assert": {"Fn::Not": [old]}, "AssertDescription": "bootstrap again"}]}}
    body = template({"A": queue()}, {"Rules": rules, "Declared": {"Version": {"Type": "String", "Default": "2"}}})

    refusal = FakeCloud().refusal("CreateStack", StackName="s", TemplateBody=body)

    assert "bootstrap again" in refusal.message


def test_the_type_of_a_resource_cannot_change() -> None:
    """A logical id belongs to one type for the life of its stack."""
    fake = FakeCloud()
    fake.create({"A": queue()})

    with pytest.raises(ValidationError, match=r"modifies resource type of the following resources: \[A\]"):
        fake.update({"A": {"Type": "AWS::SNS::Topic"}})


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://s3.us-east-1.amazonaws.com/bucket/a/b.json", ("bucket", "a/b.json", None)),
        ("https://s3.amazonaws.com/bucket/b.json?versionId=7", ("bucket", "b.json", "7")),
        ("https://my.bucket.s3.eu-west-1.amazonaws.com/b%20c.json", ("my.bucket", "b c.json", None)),
        ("https://bucket.s3.amazonaws.com/b.json", ("bucket", "b.json", None)),
        ("http://127.0.0.1:5055/bucket/b.json", ("bucket", "b.json", None)),
    ],
)
def test_template_urls_in_every_style(url: str, location: tuple[str, str, str | None]) -> None:
    """Path style, virtual-hosted style, and this server's own address."""
    assert template_location(url) == location


def test_a_template_url_without_a_key_is_refused() -> None:
    """A bucket alone is no template."""
    with pytest.raises(ValidationError, match="must be a supported URL"):
        template_location("https://s3.us-east-1.amazonaws.com/bucket")
