"""Change sets: what they announce is what then happens."""

import json
from typing import Any

import pytest

from tests.local_cloud.cloudformation.fake_cloud import QUEUE, FakeCloud, queue, template


@pytest.fixture
def fake() -> FakeCloud:
    """An engine without stacks."""
    return FakeCloud()


def _change_set(fake: FakeCloud, resources: dict[str, Any], *, kind: str = "UPDATE", **params: Any) -> dict[str, Any]:
    body = template(resources, params)
    made = fake.call(
        "CreateChangeSet", StackName="s", ChangeSetName="c", ChangeSetType=kind, TemplateBody=body, **params
    )
    return fake.call("DescribeChangeSet", ChangeSetName=made["Id"], IncludePropertyValues=True)


def _changes(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in described["Changes"]}


def test_a_new_stack_is_in_review_until_its_change_set_is_executed(fake: FakeCloud) -> None:
    """Nothing is created by describing; execution creates, and the change set says so afterwards."""
    described = _change_set(fake, {"A": queue()}, kind="CREATE")
    in_review = fake.stack()["StackStatus"], dict(fake.ledger.alive)

    fake.call("ExecuteChangeSet", StackName="s", ChangeSetName="c")

    assert in_review == ("REVIEW_IN_PROGRESS", {})
    assert _changes(described)["A"]["Action"] == "Add"
    assert fake.settled("s") == "CREATE_COMPLETE"
    executed = fake.call("DescribeChangeSet", StackName="s", ChangeSetName="c")
    assert executed["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_changes_tell_replacement_and_values(fake: FakeCloud) -> None:
    """In-place change, replacement, its effect on a dependant, addition and removal, each with its policy."""
    dependant = {"Type": QUEUE, "Properties": {"QueueName": {"Fn::Sub": "${Replaced}-next"}}}
    fake.create(
        {
            "Changed": queue(),
            "Replaced": queue(name="a"),
            "Dependant": dependant,
            "Gone": queue(DeletionPolicy="Retain"),
        }
    )

    changes = _changes(
        _change_set(
            fake,
            {
                "Changed": queue(timeout=60),
                "Replaced": queue(name="b", UpdateReplacePolicy="Retain"),
                "Dependant": dependant,
                "New": queue(),
            },
        )
    )

    told = {
        name: (change["Action"], change.get("Replacement"), change.get("PolicyAction"))
        for name, change in changes.items()
    }
    assert told == {
        "Changed": ("Modify", "False", None),
        "Replaced": ("Modify", "True", "ReplaceAndRetain"),
        "Dependant": ("Modify", "Conditional", None),
        "New": ("Add", None, None),
        "Gone": ("Remove", None, "Retain"),
    }
    target = changes["Changed"]["Details"][0]["Target"]
    assert (target["Path"], target["BeforeValue"], target["AfterValue"]) == (
        "/Properties/VisibilityTimeout",
        "30",
        "60",
    )
    assert target["RequiresRecreation"] == "Never"
    assert changes["Dependant"]["Details"][0]["Evaluation"] == "Dynamic"
    assert json.loads(changes["Replaced"]["AfterContext"])["Properties"]["QueueName"] == "b"


def test_a_change_set_without_changes_fails_as_on_aws(fake: FakeCloud) -> None:
    """The CDK CLI knows this text and reports "no changes"; the change set cannot be executed."""
    fake.create({"A": queue()})

    described = _change_set(fake, {"A": queue()})

    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert fake.refusal("ExecuteChangeSet", StackName="s", ChangeSetName="c").code == "InvalidChangeSetStatus"


def test_wrong_properties_are_found_before_anything_is_created(fake: FakeCloud) -> None:
    """As with AWS's early validation, the change set fails, and DescribeEvents has each finding with its path."""
    described = _change_set(fake, {"A": queue(), "B": queue(timeout="soon")}, kind="CREATE")
    events = fake.call("DescribeEvents", StackName="s", ChangeSetName="c", Filters={"FailedEvents": True})[
        "OperationEvents"
    ]

    assert described["Status"] == "FAILED"
    assert "AWS::EarlyValidation" in described["StatusReason"]
    assert [(event["LogicalResourceId"], event["ValidationPath"]) for event in events] == [
        ("B", "/Resources/B/Properties/VisibilityTimeout")
    ]
    assert fake.ledger.log == []


def test_the_same_name_is_free_for_every_stack_and_taken_within_one(fake: FakeCloud) -> None:
    """The CDK CLI uses one name for all stacks and deletes the former one first."""
    body = template({"A": queue()})
    for name in ("one", "two"):
        fake.call("CreateChangeSet", StackName=name, ChangeSetName="cdk", ChangeSetType="CREATE", TemplateBody=body)

    taken = fake.refusal(
        "CreateChangeSet", StackName="one", ChangeSetName="cdk", ChangeSetType="CREATE", TemplateBody=body
    )
    fake.call("DeleteChangeSet", StackName="one", ChangeSetName="cdk")

    assert taken.code == "AlreadyExistsException"
    assert fake.refusal("DescribeChangeSet", StackName="one", ChangeSetName="cdk").code == "ChangeSetNotFound"
    assert len(fake.call("ListChangeSets", StackName="two")["Summaries"]) == 1


def test_a_retained_resource_is_taken_over_when_asked_for(fake: FakeCloud) -> None:
    """ImportExistingResources adopts what an earlier stack left, instead of making it twice."""
    retained = {"A": queue(name="kept", DeletionPolicy="Retain")}
    fake.create(retained)
    fake.delete()

    _change_set(fake, retained, kind="CREATE", ImportExistingResources=True)
    fake.call("ExecuteChangeSet", StackName="s", ChangeSetName="c")

    assert fake.settled("s") == "CREATE_COMPLETE"
    assert fake.resources() == {"A": "A-1"}
    assert fake.ledger.calls("create") == ["A-1"]


def test_only_a_retained_resource_is_taken_over(fake: FakeCloud) -> None:
    """What its new stack would delete is not adopted: it could belong to anybody."""
    fake.create({"A": queue(name="theirs", DeletionPolicy="Retain")})
    fake.delete()

    _change_set(fake, {"A": queue(name="theirs")}, kind="CREATE", ImportExistingResources=True)
    fake.call("ExecuteChangeSet", StackName="s", ChangeSetName="c")

    assert fake.settled("s") == "CREATE_COMPLETE"
    assert fake.resources() == {"A": "A-2"}
