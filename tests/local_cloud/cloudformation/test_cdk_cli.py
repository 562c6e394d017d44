"""The real CDK CLI against the running local cloud: the life of an app from bootstrap to destruction and back."""

import json
import subprocess
import sys
from pathlib import Path

from tests.local_cloud.cloudformation.small_assembly import write_assembly
from tests.running_cloud import ACCOUNT, REGION, ROOT, RunningCloud

_LIMIT_SECONDS = 180


def _cdk(cloud: RunningCloud, *arguments: str) -> tuple[int, str]:
    """Exit code and output of one command."""
    # `true` stands in for Docker: what happens to images is another test's matter.
    environment = cloud.environment | {"CDK_DOCKER": "true", "CDK_CLI_NOTICES": "false", "NO_COLOR": "1"}
    command = [sys.executable, str(ROOT / "scripts" / "cdk.py"), *arguments]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def _deploy(cloud: RunningCloud, assembly: Path) -> tuple[int, str]:
    return _cdk(cloud, "deploy", "--all", "--app", str(assembly), "--require-approval", "never")


def _status(cloud: RunningCloud) -> str:
    stacks = cloud.client("cloudformation").describe_stacks(StackName="Small-Data")["Stacks"]
    return str(stacks[0]["StackStatus"])


def test_the_life_of_an_app(cloud: RunningCloud, tmp_path: Path) -> None:
    """Bootstrap, deploy twice, update, a failed update that is rolled back, no difference, destroy, deploy again."""
    first, second = write_assembly(tmp_path / "first"), write_assembly(tmp_path / "second", answer=2, timeout=20)
    broken = write_assembly(tmp_path / "broken", answer=2, timeout=30, broken=True)

    code, output = _cdk(cloud, "bootstrap", f"aws://{ACCOUNT}/{REGION}")
    assert code == 0, output
    code, output = _deploy(cloud, first)
    assert code == 0, output
    code, output = _deploy(cloud, first)
    assert (code, output.count("(no changes)")) == (0, 2), output
    code, output = _deploy(cloud, second)
    assert code == 0, output
    name = cloud.client("cloudformation").describe_stack_resource(StackName="Small-App", LogicalResourceId="Function")
    function = name["StackResourceDetail"]["PhysicalResourceId"]
    assert json.load(cloud.client("lambda").invoke(FunctionName=function)["Payload"]) == 2

    code, output = _deploy(cloud, broken)
    assert (code, _status(cloud)) == (1, "UPDATE_ROLLBACK_COMPLETE")
    assert "already exists" in output
    code, output = _cdk(cloud, "diff", "--all", "--app", str(second))
    assert "Number of stacks with differences: 0" in output

    code, output = _cdk(cloud, "destroy", "--all", "--force", "--app", str(second))
    assert code == 0, output
    assert cloud.client("lambda").list_functions()["Functions"] == []
    code, output = _deploy(cloud, first)
    assert (code, _status(cloud)) == (0, "CREATE_COMPLETE"), output
