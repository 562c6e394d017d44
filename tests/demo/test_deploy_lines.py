"""What the demo shows of `cdk deploy --progress events`."""

import pytest

from demo.deploy_lines import DeployLines

CREATED = "App |  1/25 | 3:49:39 PM | CREATE_COMPLETE         | AWS::IAM::Role      | Ingest/Role (IngestRoleE362)"
STARTED = "App |  0/25 | 3:49:39 PM | CREATE_IN_PROGRESS      | AWS::IAM::Role      | Ingest/Role (IngestRoleE362)"
UPDATED = "App |  2/25 | 3:49:39 PM | UPDATE_COMPLETE         | AWS::Lambda::Function | Ingest/Function (Ingest4D2)"
FAILED = (
    "App |  2/25 | 3:49:39 PM | CREATE_FAILED           | AWS::SQS::Queue     | Dead (DeadA5B4) the name is | taken"
)


def test_each_stack_is_named_once_and_each_finished_resource_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A creation shows its place in the count, type and path; another change shows its status, too."""
    lines = DeployLines()
    assert [lines.show(line) for line in (STARTED, CREATED, UPDATED, "Stack ARN:", "")] == [
        *(False, True, True),
        *(False, False),
    ]
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].strip() == "App"
    assert shown[1].split() == ["1/25", "AWS::IAM::Role", "Ingest/Role"]
    assert shown[2].split() == ["2/25", "AWS::Lambda::Function", "Ingest/Function", "UPDATE_COMPLETE"]
    assert len(shown) == 3


def test_a_failure_is_told_with_its_whole_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of what CloudFormation says about a failure is shortened."""
    assert DeployLines().show(FAILED)
    assert capsys.readouterr().out.endswith("CREATE_FAILED  Dead (DeadA5B4) the name is | taken\n")


def test_a_stack_without_changes_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The inner loop shows what was not deployed, too."""
    assert DeployLines().show(" ✅  Cd4ml-dev-DataLake (no changes)")
    assert capsys.readouterr().out == "   Cd4ml-dev-DataLake: no changes\n"
