"""The app's life through the unmodified CDK CLI: what a cloud engineer types."""

import shutil
import subprocess
import sys
from pathlib import Path

from local_cloud.docker import write_executable
from tests.running_cloud import ACCOUNT, REGION, ROOT, RunningCloud
from tests.synthesized import synthesized_assembly

_LIMIT_SECONDS = 180


def _cdk(cloud: RunningCloud, *arguments: str, folder: Path = ROOT) -> str:
    """Output of one command of the CLI, which must succeed."""
    stand_in = write_executable(cloud.state_directory)
    environment = cloud.environment | {"CDK_DOCKER": str(stand_in), "CDK_CLI_NOTICES": "false", "NO_COLOR": "1"}
    command = [sys.executable, str(ROOT / "scripts" / "cdk.py"), *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_deploy_diff_destroy_and_deploy_again(cloud: RunningCloud, tmp_path: Path) -> None:
    """A deploy leaves no difference; destroy keeps data and registry; a new deploy works beside them."""
    # The CLI keeps built assets inside the assembly, and others use the synthesized one.
    app = ("--app", str(shutil.copytree(synthesized_assembly(), tmp_path / "cdk.out")))
    deploy = ("deploy", "--all", *app, "--require-approval", "never")
    _cdk(cloud, "bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=tmp_path)
    _cdk(cloud, *deploy)

    assert "Number of stacks with differences: 0" in _cdk(cloud, "diff", "--fail", *app)
    _cdk(cloud, "destroy", "--all", "--force", *app)

    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    stacks = {stack["StackName"] for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]}
    assert stacks == {"CDKToolkit"}
    assert sum("lakebucket" in name for name in buckets) == 1
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("sagemaker").list_pipelines()["PipelineSummaries"] == []

    _cdk(cloud, *deploy)
    assert len(cloud.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]) == 2
