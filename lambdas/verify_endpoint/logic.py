"""Verifies an endpoint after its deployment: configuration, version, parity, refusal of bad input, latency.

The first finding ends it. Must not answer the pipeline's job and must not change anything.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lambdas.shared.model_archive import ArchiveError, ModelArchive, read_archive
from lambdas.shared.packages import ModelPackage, describe_package
from lambdas.shared.s3 import split_uri
from lambdas.verify_endpoint.deployment import Deployment, DeploymentCheck
from lambdas.verify_endpoint.errors import VerificationError
from lambdas.verify_endpoint.golden import golden_records
from lambdas.verify_endpoint.invocations import Endpoint, LatencyBudget


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found; latency in milliseconds, `difference` in log space."""

    package: ModelPackage
    endpoint: str
    endpoint_config: str
    records: int
    difference: float
    p95: float

    @property
    def summary(self) -> str:
        """One line for people."""
        return (
            f"{self.endpoint} serves version {self.package.version}: {self.records} golden records agree within "
            f"{self.difference:.2g}, p95 {self.p95:.0f} ms, a malformed record is refused"
        )

    def variables(self, region: str) -> dict[str, str]:
        """Output variables of the action; CodePipeline wants no empty value."""
        report = self.package.properties.get("evaluation_report") or self.package.evaluation_uri or ""
        return {
            "EndpointConfigName": self.endpoint_config,
            "GoldenRecords": str(self.records),
            "LargestDifference": f"{self.difference:.3g}",
            "P95Milliseconds": f"{self.p95:.1f}",
            "Summary": self.summary,
            "EvaluationReport": report or "none",
            "EvidenceUrl": console_url(report, region) if report else f"https://{region}.console.aws.amazon.com/s3/",
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """What the function works with. All clients are boto3's; `runtime` makes no retries. `clock` in seconds."""

    cloudformation: Any
    sagemaker: Any
    runtime: Any
    s3: Any
    budget: LatencyBudget
    clock: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep

    def verify(self, deployment: Deployment, *, remaining: Callable[[], float]) -> Verified:
        """Everything that holds of a good deployment; VerificationError with the first finding otherwise."""
        config = DeploymentCheck(self.cloudformation, self.sagemaker, remaining, self.sleep).run(deployment)
        package = describe_package(self.sagemaker, deployment.package_arn)
        if package is None:
            raise VerificationError(f"the registry has no version {deployment.package_arn} any more")
        golden = golden_records(self._archive(package))
        endpoint = Endpoint(self.runtime, deployment.endpoint, remaining, self.clock)
        difference = endpoint.largest_difference(golden)
        endpoint.check_refusal(golden)
        p95 = endpoint.p95_milliseconds(golden, self.budget)
        return Verified(
            package=package,
            endpoint=deployment.endpoint,
            endpoint_config=config,
            records=len(golden.rows),
            difference=difference,
            p95=p95,
        )

    def _archive(self, package: ModelPackage) -> ModelArchive:
        if package.model_url is None:
            raise VerificationError(f"{package.arn} names no model.tar.gz")
        bucket, key = split_uri(package.model_url)
        try:
            archive = read_archive(self.s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20))
        except ArchiveError as error:
            raise VerificationError(f"the artifact {package.model_url} cannot be used: {error}") from error
        if archive.sha256 != package.artifact_sha256:
            raise VerificationError(f"the artifact {package.model_url} has changed since it was registered")
        return archive


def console_url(uri: str, region: str) -> str:
    """Page of the S3 console that shows an object; the manual approval links to it."""
    bucket, key = split_uri(uri)
    return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={quote(key, safe='')}"


def parse_budget(variables: Mapping[str, str]) -> LatencyBudget:
    """The budget from LATENCY_BUDGET_MS and LATENCY_INVOCATIONS; ValueError if they are no positive numbers."""
    budget = LatencyBudget(float(variables["LATENCY_BUDGET_MS"]), int(variables["LATENCY_INVOCATIONS"]))
    if not budget.milliseconds > 0 or budget.invocations < 1:
        raise ValueError(f"LATENCY_BUDGET_MS and LATENCY_INVOCATIONS should be positive, not {dict(variables)}")
    return budget
