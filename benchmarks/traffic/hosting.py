"""What the traffic goes to: two versions of the model behind one endpoint of the local cloud, made through its API."""

import json
import os
import signal
import tarfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, BenchmarkError
from benchmarks.pipeline import PlainPipeline, make_batch
from benchmarks.waiting import wait_for
from demo.aws import client
from local_cloud.images import ImageStore

NEW, OLD = "new", "old"
VARIANT = "champion"
CAPTURES = "captures"
# Trained on more model years than the old one, so that no prediction of theirs is the same.
_YEARS = {NEW: "2001-2008", OLD: "2001-2004"}
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/benchmark:1"
_ALARM = {"Namespace": "CD4ML/Benchmark", "MetricName": "WrongPredictions"}


def make_models(folder: Path, *, python: Path) -> dict[str, Path]:
    """Train both versions by the project's own steps; their archives."""
    archives = {}
    for version, years in _YEARS.items():
        PlainPipeline(python, folder / version).run([make_batch(folder, years)])
        archives[version] = folder / version / "processing" / "model" / "model.tar.gz"
    return archives


def request_body(archive: Path) -> bytes:
    """One record as text/csv: the first of the archive's golden records that needs no quotes."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile("golden_records.json")
        records = json.load(member)["records"] if member else []
    rows = (record["values"] for record in records)
    return next(",".join(row) for row in rows if "," not in "".join(row)).encode() + b"\n"


class TrafficHosting:
    """Models, configurations and endpoints of the benchmark, and what happens to them."""

    def __init__(self, cloud: Mapping[str, str]) -> None:
        self.cloud = cloud
        self._sagemaker = client("sagemaker", cloud)
        self._cloudwatch = client("cloudwatch", cloud)
        self._s3 = client("s3", cloud)

    def prepare(self, archives: Mapping[str, Path]) -> None:
        """Image, role, buckets, the alarm; of each version a configuration with capture, and one without."""
        store = ImageStore(Path(self.cloud["LOCAL_CLOUD_STATE_DIR"]) / "images")
        store.add(_IMAGE, ROOT, "images/runtime/Dockerfile")
        role = self._role()
        for bucket in ("models", CAPTURES):
            self._s3.create_bucket(Bucket=bucket)
        self._cloudwatch.put_metric_alarm(
            AlarmName="quality",
            **_ALARM,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
        )
        for version, archive in archives.items():
            self._s3.upload_file(str(archive), "models", f"{version}.tar.gz")
            container = {"Image": _IMAGE, "ModelDataUrl": f"s3://models/{version}.tar.gz"}
            self._sagemaker.create_model(ModelName=version, PrimaryContainer=container, ExecutionRoleArn=role)
            self._configure(version, version, DataCaptureConfig=_capture())
            self._configure(uncaptured(version), version)

    def create(self, endpoint: str, config: str) -> None:
        """An endpoint that serves."""
        self._sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        self.settled(endpoint)

    def update(self, endpoint: str, config: str, deployment: Mapping[str, Any]) -> None:
        """Begin an update."""
        self._sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=dict(deployment)
        )

    def settled(self, endpoint: str) -> str:
        """Wait until the endpoint is in service; the configuration that it serves."""

        def in_service() -> str | None:
            described = self._sagemaker.describe_endpoint(EndpointName=endpoint)
            if described["EndpointStatus"] == "Failed":
                raise BenchmarkError(f"endpoint {endpoint} failed: {described.get('FailureReason')}")
            return str(described["EndpointConfigName"]) if described["EndpointStatus"] == "InService" else None

        return wait_for(in_service, what=f"endpoint {endpoint} to be in service")

    def history(self, endpoint: str) -> list[dict[str, Any]]:
        """The changes of the endpoint, the oldest first: time, status, note, share of each configuration."""
        history: list[dict[str, Any]] = self._status(endpoint)["history"]
        return history

    def await_share(self, endpoint: str, config: str, share: float) -> None:
        """Wait until the configuration has this share of the traffic."""
        wait_for(
            lambda: self.history(endpoint)[-1]["traffic"].get(config, 0.0) == share,
            what=f"{config} to have {share:.0%} of the traffic",
        )

    def raise_alarm(self) -> None:
        """Report wrong predictions, which the alarm `quality` is about."""
        self._cloudwatch.put_metric_data(
            Namespace=_ALARM["Namespace"], MetricData=[{"MetricName": _ALARM["MetricName"], "Value": 5.0}]
        )

    def crash(self, endpoint: str) -> None:
        """Kill the server of the only variant, and wait until another one serves."""
        (server,) = self._status(endpoint)["servers"]
        os.kill(server["pid"], signal.SIGKILL)
        wait_for(
            lambda: self._status(endpoint)["servers"][0]["pid"] not in (None, server["pid"]),
            what="another server process",
        )

    def captured(self, endpoint: str) -> tuple[list[dict[str, Any]], int]:
        """Every event that was captured of the endpoint, and the number of lines that are torn."""
        self._page("idle")  # answers when all that was captured is in S3
        events, torn = [], 0
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=CAPTURES, Prefix=f"traffic/{endpoint}/")
        for key in (entry["Key"] for page in pages for entry in page.get("Contents", ())):
            body = self._s3.get_object(Bucket=CAPTURES, Key=key)["Body"].read()
            for line in body.splitlines(keepends=True):
                try:
                    events.append(json.loads(line))
                    torn += not line.endswith(b"\n")
                except ValueError:
                    torn += 1
        return events, torn

    def _status(self, endpoint: str) -> dict[str, Any]:
        page: dict[str, Any] = next(page for page in self._page("status")["endpoints"] if page["name"] == endpoint)
        return page

    def _page(self, name: str) -> dict[str, Any]:
        """One of the local cloud's own pages."""
        with urllib.request.urlopen(f"{self.cloud['AWS_ENDPOINT_URL']}/_local-cloud/{name}", timeout=60) as answer:  # noqa: S310
            page: dict[str, Any] = json.load(answer)
        return page

    def _configure(self, name: str, model: str, **members: Any) -> None:
        variant = {
            "VariantName": VARIANT,
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 1.0,
        }
        self._sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **members)

    def _role(self) -> str:
        iam = client("iam", self.cloud)
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        actions = ["s3:GetObject", "s3:PutObject", "ecr:BatchGetImage", "cloudwatch:DescribeAlarms", "logs:*"]
        rights = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        role = iam.create_role(RoleName="benchmark", AssumeRolePolicyDocument=_policy(trust))["Role"]
        iam.put_role_policy(RoleName="benchmark", PolicyName="inline", PolicyDocument=_policy(rights))
        return str(role["Arn"])


def uncaptured(version: str) -> str:
    """The configuration of a version without data capture."""
    return f"{version}-uncaptured"


def _capture() -> dict[str, Any]:
    return {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{CAPTURES}/traffic",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
