"""What the loop produced, read back through AWS's own APIs, and the commands that would approve it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.aws import client, read_object
from demo.errors import DemoError
from demo.timing import Timing

_METRICS = (("mae", "mean absolute error", "${:,.0f}"), ("mape", "mean absolute error in %", "{:.1f} %"))


@dataclass(frozen=True)
class Evidence:
    """A registered model and what an approver reads about it. `report` is None if the evaluation wrote none."""

    package_arn: str
    approval_status: str
    metadata: Mapping[str, str]
    model_uri: str
    evaluation: Mapping[str, Any]
    report: Path | None
    endpoint: str

    @classmethod
    def collect(cls, environment: Mapping[str, str], execution: str, *, folder: Path) -> "Evidence":
        """Read the package that an execution registered; the report is copied into `folder`.

        Raises DemoError if the execution registered no model.
        """
        sagemaker = client("sagemaker", environment)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, MaxResults=100)
        arns = [
            step["Metadata"]["RegisterModel"]["Arn"]
            for step in steps["PipelineExecutionSteps"]
            if "RegisterModel" in step.get("Metadata", {})
        ]
        if not arns:
            raise DemoError(f"{execution} registered no model; its steps above say why")
        package = sagemaker.describe_model_package(ModelPackageName=arns[0])
        statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        return cls(
            package_arn=arns[0],
            approval_status=package["ModelApprovalStatus"],
            metadata=package.get("CustomerMetadataProperties", {}),
            model_uri=package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
            evaluation=json.loads(read_object(environment, statistics)),
            report=_copy_report(environment, statistics.rsplit("/", 1)[0], folder),
            endpoint=environment["AWS_ENDPOINT_URL"],
        )


def _copy_report(environment: Mapping[str, str], prefix: str, folder: Path) -> Path | None:
    bucket, key = prefix.removeprefix("s3://").split("/", 1)
    listed = client("s3", environment).list_objects_v2(Bucket=bucket, Prefix=f"{key}/").get("Contents", [])
    pages = [entry["Key"] for entry in listed if entry["Key"].endswith(".html")]
    if not pages:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / Path(pages[0]).name
    report.write_bytes(read_object(environment, f"s3://{bucket}/{pages[0]}"))
    return report.resolve()


def print_approval_summary(evidence: Evidence, *, timing: Timing, keep_running: bool) -> None:
    """A page for someone who has never seen the project."""
    print(f"\n== done in {timing.total:.0f} s: a model was trained and waits for a person's decision")
    print(f"   ({timing})\n")
    _print_metrics(evidence.evaluation)
    print("\n   the model package (nothing approves itself):")
    print(f"     {evidence.package_arn}   {evidence.approval_status}")
    for name, value in sorted(evidence.metadata.items()):
        print(f"     {name:<28} {value}")
    print(f"\n   artifact   {evidence.model_uri}")
    if evidence.report:
        print(f"   evidence   {evidence.report}   (open it in a browser)")
    if keep_running:
        print_way_in(evidence.endpoint)
        print("\n   approve the model with:")
        print(f"     aws sagemaker update-model-package --model-package-arn {evidence.package_arn} \\")
        print("       --model-approval-status Approved --approval-description 'evidence read'")
        print("\n   change a step or a setting, then `make pipeline` shows what it does; `make down` stops the cloud.")
    else:
        print("\n   The demo's cloud is stopped again. `make up` does the same, leaves it up and tells how to approve.")


def print_way_in(endpoint: str) -> None:
    """How to use a local cloud that is up."""
    print(f"\n   the local cloud is up at {endpoint}. Point any AWS client at it in this shell with:")
    print('     eval "$(.venv/bin/python -m local_cloud env)"; export PATH="$PWD/.venv/bin:$PATH"')


def _print_metrics(evaluation: Mapping[str, Any]) -> None:
    rows = evaluation["dataset"]["item_count"]
    print(f"   on the newest model year, which training never saw ({rows:,} cars):")
    print(f"     {'':<28}{'model':>12}   {'plain baseline':>14}")
    for name, title, form in _METRICS:
        model, plain = evaluation["regression_metrics"][name]["value"], evaluation["plain_baseline"][name]
        print(f"     {title:<28}{form.format(model):>12}   {form.format(plain):>14}")
