"""The app's life through the unmodified CDK CLI: what a cloud engineer types."""

import shutil
from pathlib import Path

from tests.journeys.cdk_cli import bootstrap, cdk
from tests.running_cloud import RunningCloud
from tests.synthesized import synthesized_assembly


def test_deploy_diff_destroy_and_deploy_again(cloud: RunningCloud, tmp_path: Path) -> None:
    """A deploy leaves no difference; destroy keeps data and registry; a new deploy works beside them."""
    # The CLI keeps built assets inside the assembly, and others use the synthesized one.
    app = ("--app", str(shutil.copytree(synthesized_assembly(), tmp_path / "cdk.out")))
    deploy = ("deploy", "--all", *app, "--require-approval", "never")
    bootstrap(cloud, folder=tmp_path)
    cdk(cloud, *deploy)

    assert "Number of stacks with differences: 0" in cdk(cloud, "diff", "--fail", *app)
    cdk(cloud, "destroy", "--all", "--force", *app)

    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    stacks = {stack["StackName"] for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]}
    assert stacks == {"CDKToolkit"}
    assert sum("lakebucket" in name for name in buckets) == 1
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("sagemaker").list_pipelines()["PipelineSummaries"] == []

    cdk(cloud, *deploy)
    assert len(cloud.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]) == 2
