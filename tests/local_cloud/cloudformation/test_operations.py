"""What happens to a stack when its resources succeed, fail, are replaced, retained or in use."""

import pytest

from local_cloud.cloudformation.errors import ValidationError
from tests.local_cloud.cloudformation.fake_cloud import QUEUE, FakeCloud, queue
from tests.waiting import wait_for


@pytest.fixture
def fake() -> FakeCloud:
    """An engine without stacks."""
    return FakeCloud()


def _after(name: str) -> dict[str, object]:
    """A queue that needs another one."""
    return {"Type": QUEUE, "Properties": {"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": [name, "Arn"]}}}}


def test_resources_are_created_in_the_order_of_their_needs(fake: FakeCloud) -> None:
    """A reference is resolved with what the provider of the first resource reported."""
    status = fake.create(
        {"B": _after("A"), "A": queue(), "C": _after("B")},
        Outputs={"Name": {"Value": {"Ref": "C"}}, "Count": {"Value": 3}},
    )

    assert status == "CREATE_COMPLETE"
    assert fake.ledger.log == [("create", "A-1"), ("create", "B-2"), ("create", "C-3")]
    assert fake.ledger.alive["B-2"]["RedrivePolicy"] == {"deadLetterTargetArn": "arn:A-1"}
    assert fake.outputs() == {"Name": "C-3", "Count": "3"}
    assert fake.events()[0] == ("s", "CREATE_IN_PROGRESS")
    assert fake.events()[-1] == ("s", "CREATE_COMPLETE")


def test_a_failed_creation_leaves_nothing(fake: FakeCloud) -> None:
    """What was made is deleted, half-made resources included, and the reason names resource and construct."""
    fake.ledger.failing = {("create", "B")}
    fake.ledger.leaves_remains = {"B"}
    broken = _after("A") | {"Metadata": {"aws:cdk:path": "App/Stack/B/Resource"}}

    status = fake.create({"A": queue(), "B": broken})

    assert status == "ROLLBACK_COMPLETE"
    assert fake.ledger.alive == {}
    assert fake.ledger.calls("delete") == ["B-2", "A-1"]
    failed = [
        event
        for event in fake.call("DescribeStackEvents", StackName="s")["StackEvents"]
        if event["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert "cannot create B" in failed[0]["ResourceStatusReason"]
    assert "(construct: App/Stack/B/Resource)" in failed[0]["ResourceStatusReason"]


def test_nothing_more_is_begun_after_a_failure(fake: FakeCloud) -> None:
    """What needs the failed resource is not even tried."""
    fake.ledger.failing = {("create", "A")}

    fake.create({"A": queue(), "B": _after("A")})

    assert [name for name, _ in fake.events() if name == "B"] == []


@pytest.mark.parametrize(
    ("policy", "params", "kept"),
    [
        ("Delete", {}, False),
        ("Retain", {}, True),
        ("Retain", {"RetainExceptOnCreate": True}, False),
        ("RetainExceptOnCreate", {}, False),
    ],
)
def test_deletion_policies_when_a_creation_is_rolled_back(
    fake: FakeCloud, policy: str, params: dict[str, bool], kept: bool
) -> None:
    """Retain keeps even what a failed creation made; RetainExceptOnCreate is there to avoid just that."""
    fake.ledger.failing = {("create", "B")}

    fake.create({"A": queue(DeletionPolicy=policy), "B": _after("A")}, **params)

    assert ("A-1" in fake.ledger.alive) is kept


def test_a_failed_creation_can_be_left_as_it_is_and_rolled_back_later(fake: FakeCloud) -> None:
    """DisableRollback stops at CREATE_FAILED; RollbackStack then cleans up."""
    fake.ledger.failing = {("create", "B")}

    stopped = fake.create({"A": queue(), "B": _after("A")}, DisableRollback=True)
    alive = list(fake.ledger.alive)
    fake.call("RollbackStack", StackName="s")

    assert (stopped, alive) == ("CREATE_FAILED", ["A-1"])
    assert fake.settled("s") == "ROLLBACK_COMPLETE"
    assert fake.ledger.alive == {}


def test_a_failed_creation_can_delete_the_stack(fake: FakeCloud) -> None:
    """OnFailure=DELETE leaves no stack of that name."""
    fake.ledger.failing = {("create", "A")}

    stack_id = fake.call(
        "CreateStack",
        StackName="s",
        OnFailure="DELETE",
        TemplateBody='{"Resources": {"A": {"Type": "AWS::SQS::Queue"}}}',
    )["StackId"]

    assert fake.settled(stack_id) == "DELETE_COMPLETE"
    with pytest.raises(ValidationError, match="does not exist"):
        fake.stack("s")


def test_an_update_touches_only_what_changed(fake: FakeCloud) -> None:
    """One queue is changed in place, one is added, one goes; the fourth is not even looked at."""
    fake.create({"Same": queue(), "Changed": queue(), "Gone": queue()})
    before = fake.resources()
    fake.ledger.log.clear()

    status = fake.update({"Same": queue(), "Changed": queue(timeout=60), "New": queue()})

    assert status == "UPDATE_COMPLETE"
    assert sorted(verb for verb, _ in fake.ledger.log) == ["create", "delete", "update"]
    assert fake.ledger.calls("update") == [before["Changed"]]
    assert fake.ledger.calls("delete") == [before["Gone"]]
    assert set(fake.resources()) == {"Same", "Changed", "New"}


def test_a_replacement_is_complete_before_the_old_resource_goes(fake: FakeCloud) -> None:
    """Dependants get the new id first; the old one is deleted in the cleanup."""
    fake.create({"A": queue(name="old"), "B": _after("A")})
    fake.ledger.log.clear()

    status = fake.update({"A": queue(name="new"), "B": _after("A")})

    assert status == "UPDATE_COMPLETE"
    assert fake.ledger.log == [("create", "A-3"), ("update", "B-2"), ("delete", "A-1")]
    assert fake.resources() == {"A": "A-3", "B": "B-2"}
    assert fake.ledger.alive["B-2"]["RedrivePolicy"] == {"deadLetterTargetArn": "arn:A-3"}
    statuses = [status for name, status in fake.events() if name == "s"]
    assert statuses[-3:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_a_replaced_resource_can_be_retained(fake: FakeCloud) -> None:
    """UpdateReplacePolicy=Retain leaves the old one behind and says so."""
    fake.create({"A": queue(name="old")})

    fake.update({"A": queue(name="new", UpdateReplacePolicy="Retain")})
    fake.update({"A": queue(name="newest", UpdateReplacePolicy="Retain")})

    assert set(fake.ledger.alive) == {"A-2", "A-3"}
    assert ("A", "DELETE_SKIPPED") in fake.events()


def test_a_failed_update_restores_everything(fake: FakeCloud) -> None:
    """Changed resources get their old properties back, new ones go, replaced ones never went."""
    resources = {"Changed": queue(), "Replaced": queue(name="old"), "Kept": queue()}
    fake.create(resources, Outputs={"O": {"Value": "before"}})
    before, alive = fake.resources(), dict(fake.ledger.alive)
    fake.ledger.failing = {("create", "Broken")}
    broken = {"Type": QUEUE, "DependsOn": ["Changed", "Replaced", "New"]}

    status = fake.update(
        {"Changed": queue(timeout=60), "Replaced": queue(name="new"), "New": queue(), "Broken": broken},
        Outputs={"O": {"Value": "after"}},
    )

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert (fake.resources(), fake.ledger.alive) == (before, alive)
    assert fake.outputs() == {"O": "before"}
    statuses = [status for name, status in fake.events() if name == "s"]
    assert statuses[-3:] == [
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


def test_the_resource_that_failed_to_update_is_restored_too(fake: FakeCloud) -> None:
    """Part of its change may have happened, so its old properties are put again."""
    fake.create({"A": queue(timeout=1)})
    fake.ledger.failing = {("update", "A")}
    fake.call("UpdateStack", StackName="s", TemplateBody='{"Resources": {"A": {"Type": "AWS::SQS::Queue"}}}')

    assert fake.settled("s") == "UPDATE_ROLLBACK_FAILED"
    fake.ledger.failing.clear()
    fake.call("ContinueUpdateRollback", StackName="s")

    assert fake.settled("s") == "UPDATE_ROLLBACK_COMPLETE"
    assert fake.ledger.alive == {"A-1": {"VisibilityTimeout": 1}}


def test_a_rollback_can_go_on_without_a_resource(fake: FakeCloud) -> None:
    """ResourcesToSkip leaves what cannot be restored, and the stack is usable again."""
    fake.create({"A": queue(timeout=1)})
    fake.ledger.failing = {("update", "A")}
    fake.update({"A": queue(timeout=2)})

    fake.call("ContinueUpdateRollback", StackName="s", ResourcesToSkip=["A"])

    assert fake.settled("s") == "UPDATE_ROLLBACK_COMPLETE"
    fake.ledger.failing.clear()
    assert fake.update({"A": queue(timeout=3)}) == "UPDATE_COMPLETE"


def test_an_update_that_was_stopped_can_be_tried_again(fake: FakeCloud) -> None:
    """With DisableRollback the stack stays as far as it came; the next update goes on from there."""
    fake.create({"A": queue(name="old")})
    fake.ledger.failing = {("create", "B")}
    stopped = fake.update({"A": queue(name="new"), "B": _after("A")}, DisableRollback=True)
    fake.ledger.failing.clear()

    status = fake.update({"A": queue(name="new"), "B": _after("A")})

    assert (stopped, status) == ("UPDATE_FAILED", "UPDATE_COMPLETE")
    assert set(fake.ledger.alive) == set(fake.resources().values()) == {"A-2", "B-4"}


def test_a_stopped_update_can_be_rolled_back(fake: FakeCloud) -> None:
    """RollbackStack takes back what an update without rollback has done."""
    fake.create({"A": queue(timeout=1)})
    fake.ledger.failing = {("create", "B")}
    fake.update({"A": queue(timeout=2), "B": _after("A")}, DisableRollback=True)

    fake.call("RollbackStack", StackName="s")

    assert fake.settled("s") == "UPDATE_ROLLBACK_COMPLETE"
    assert fake.ledger.alive == {"A-1": {"VisibilityTimeout": 1}}


def test_what_cannot_be_cleaned_up_is_left_behind(fake: FakeCloud) -> None:
    """A failed deletion after an update does not undo the update; the event tells."""
    fake.create({"A": queue(), "B": queue()})
    fake.ledger.failing = {("delete", "B")}

    status = fake.update({"A": queue()})

    assert status == "UPDATE_COMPLETE"
    assert ("B", "DELETE_FAILED") in fake.events()
    assert set(fake.resources()) == {"A"}


def test_deletion_runs_backwards_and_keeps_what_is_retained(fake: FakeCloud) -> None:
    """Dependants go first; a retained resource outlives its stack."""
    fake.create({"A": queue(DeletionPolicy="Retain"), "B": _after("A"), "C": _after("B")})
    fake.ledger.log.clear()

    assert fake.delete() == "DELETE_COMPLETE"
    assert fake.ledger.log == [("delete", "C-3"), ("delete", "B-2")]
    assert set(fake.ledger.alive) == {"A-1"}


def test_a_deletion_that_fails_can_be_finished(fake: FakeCloud) -> None:
    """The stack keeps what is stuck; then it may be retained by name, or forced."""
    fake.create({"A": queue(), "B": queue()})
    fake.ledger.failing = {("delete", "A")}

    stuck = fake.delete()
    left = set(fake.resources())
    gone = fake.delete(RetainResources=["A"])

    assert (stuck, left, gone) == ("DELETE_FAILED", {"A"}, "DELETE_COMPLETE")


def test_a_stack_with_termination_protection_is_not_deleted(fake: FakeCloud) -> None:
    """Protection has to be lifted first."""
    fake.create({"A": queue()}, EnableTerminationProtection=True)

    assert "TerminationProtection is enabled" in fake.refusal("DeleteStack", StackName="s").message
    fake.call("UpdateTerminationProtection", StackName="s", EnableTerminationProtection=False)
    assert fake.delete() == "DELETE_COMPLETE"


def test_one_operation_at_a_time(fake: FakeCloud) -> None:
    """A second one is refused with the state that the stack is in."""
    fake.create({"A": queue()})
    fake.ledger.gate.clear()
    body = '{"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 5}}}}'
    fake.call("UpdateStack", StackName="s", TemplateBody=body)

    update = fake.refusal("UpdateStack", StackName="s", TemplateBody=body)
    deletion = fake.refusal("DeleteStack", StackName="s")
    fake.ledger.gate.set()

    assert "is in UPDATE_IN_PROGRESS state and can not be updated" in update.message
    assert "cannot be deleted while in status UPDATE_IN_PROGRESS" in deletion.message
    assert fake.settled("s") == "UPDATE_COMPLETE"


def test_an_export_in_use_cannot_change_or_go(fake: FakeCloud) -> None:
    """Neither by an update nor with its stack, until the importer is gone."""
    exporting = {"O": {"Value": {"Ref": "A"}, "Export": {"Name": "shared"}}}
    fake.create({"A": queue(name="one")}, Outputs=exporting)
    importing = {"Type": QUEUE, "Properties": {"QueueName": {"Fn::ImportValue": "shared"}}}
    fake.create({"B": importing}, name="user")

    assert fake.call("ListImports", ExportName="shared") == {"Imports": ["user"]}
    assert fake.update({"A": queue(name="two")}, Outputs=exporting) == "UPDATE_ROLLBACK_COMPLETE"
    assert fake.delete() == "DELETE_FAILED"
    assert "in use by user" in fake.stack()["StackStatusReason"]
    assert fake.delete(name="user") == "DELETE_COMPLETE"
    assert fake.delete() == "DELETE_COMPLETE"


def test_a_missing_export_fails_the_stack_that_wants_it(fake: FakeCloud) -> None:
    """The message says which stack has to come first."""
    importing = {"Type": QUEUE, "Properties": {"QueueName": {"Fn::ImportValue": "nobody"}}}

    assert fake.create({"A": importing}) == "ROLLBACK_COMPLETE"
    assert ("A", "CREATE_FAILED") in fake.events()


def test_an_update_without_changes_is_refused(fake: FakeCloud) -> None:
    """A new description alone is no change, another output is."""
    fake.create({"A": queue()})

    with pytest.raises(ValidationError, match="No updates are to be performed"):
        fake.update({"A": queue()}, Description="other words")
    assert fake.update({"A": queue()}, Outputs={"O": {"Value": "1"}}) == "UPDATE_COMPLETE"


def test_conditions_decide_what_exists(fake: FakeCloud) -> None:
    """A parameter turns a resource on and off."""
    declared = {"Wanted": {"Type": "String", "Default": "yes"}}
    params = {"Declared": declared, "Conditions": {"C": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}}}
    resources = {"A": queue(), "B": queue(Condition="C")}
    fake.create(resources, **params)
    with_both = set(fake.resources())

    fake.update(resources, **params, Parameters=[{"ParameterKey": "Wanted", "ParameterValue": "no"}])

    assert (with_both, set(fake.resources())) == ({"A", "B"}, {"A"})


def test_secrets_do_not_reach_the_history(fake: FakeCloud) -> None:
    """The value of a NoEcho parameter is masked in events."""
    fake.create(
        {"A": queue(name={"Ref": "Secret"})},  # type: ignore[arg-type]
        Declared={"Secret": {"Type": "String", "NoEcho": True}},
        Parameters=[{"ParameterKey": "Secret", "ParameterValue": "hunter2"}],
    )

    assert fake.ledger.alive["A-1"]["QueueName"] == "hunter2"
    assert "hunter2" not in str(fake.call("DescribeStackEvents", StackName="s"))


def test_a_wrong_property_fails_before_its_provider_is_asked(fake: FakeCloud) -> None:
    """The event has the path of the property, as CloudFormation gives it."""
    assert fake.create({"A": queue(timeout="soon")}) == "ROLLBACK_COMPLETE"

    reasons = [
        event.get("ResourceStatusReason", "")
        for event in fake.call("DescribeStackEvents", StackName="s")["StackEvents"]
    ]
    assert fake.ledger.log == []
    assert any("#/VisibilityTimeout: expected type: Integer, found: String" in reason for reason in reasons)


def test_independent_resources_are_made_at_the_same_time(fake: FakeCloud) -> None:
    """While one creation is held up, the other one has begun."""
    fake.ledger.gate.clear()
    fake.call(
        "CreateStack",
        StackName="s",
        TemplateBody='{"Resources": {"A": {"Type": "AWS::SQS::Queue"}, "B": {"Type": "AWS::SQS::Queue"}}}',
    )

    begun = wait_for(
        lambda: {name for name, status in fake.events() if status == "CREATE_IN_PROGRESS"} >= {"A", "B"},
        what="both creations to begin",
    )
    fake.ledger.gate.set()

    assert begun
    assert fake.settled("s") == "CREATE_COMPLETE"


def test_a_reset_stops_what_runs_and_forgets_it(fake: FakeCloud) -> None:
    """After a reset nothing more is created, and the name is free."""
    fake.ledger.gate.clear()
    body = '{"Resources": {"A": {"Type": "AWS::SQS::Queue"}, "B": {"Type": "AWS::SQS::Queue", "DependsOn": "A"}}}'
    fake.call("CreateStack", StackName="s", TemplateBody=body)
    fake.ledger.gate.set()

    fake.engine.reset()

    assert fake.call("ListStacks") == {"StackSummaries": []}
    assert fake.create({"A": queue()}) == "CREATE_COMPLETE"
