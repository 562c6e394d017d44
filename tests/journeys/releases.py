"""The release pipeline of a deployed app as an approver and a caller of the endpoint see it."""

import json
from typing import Any

from tests.journeys.deployed_app import DeployedApp
from tests.waiting import wait_for

_RELEASE_LIMIT_SECONDS = 120


class Releases:
    """The release pipeline as an approver and a caller of the endpoint see it."""

    def __init__(self, app: DeployedApp) -> None:
        self.app = app
        self.name = app.outputs["CarPricesReleasePipelineName"]
        self.endpoint = app.outputs["CarPricesProductionEndpointName"]
        self.pipeline = app.cloud.client("codepipeline")
        self.runtime = app.cloud.client("sagemaker-runtime")

    def started(self) -> dict[str, dict[str, Any]]:
        """Executions by the package that they release, without those that release none."""
        listed = self.pipeline.list_pipeline_executions(pipelineName=self.name)["pipelineExecutionSummaries"]
        found = {}
        for summary in listed:
            execution = self.pipeline.get_pipeline_execution(
                pipelineName=self.name, pipelineExecutionId=summary["pipelineExecutionId"]
            )["pipelineExecution"]
            package = {entry["name"]: entry["resolvedValue"] for entry in execution.get("variables", [])}
            if package.get("ModelPackageArn", "none").startswith("arn:"):
                found[execution["pipelineExecutionId"]] = execution
        return found

    def approve(self, package_arn: str) -> str:
        """Flip the registry status as an approver does; the id of the execution that follows."""
        before = set(self.started())
        self.app.cloud.client("sagemaker").update_model_package(
            ModelPackageArn=package_arn, ModelApprovalStatus="Approved", ApprovalDescription="evidence read"
        )
        new = wait_for(lambda: set(self.started()) - before, what=f"the release of {package_arn}")
        return new.pop()

    def approve_production(self) -> None:
        """Wait for the manual approval and give it."""

        def waiting() -> dict[str, Any] | None:
            for stage in self.pipeline.get_pipeline_state(name=self.name)["stageStates"]:
                for action in stage["actionStates"]:
                    latest = action.get("latestExecution", {})
                    if latest.get("status") == "InProgress" and latest.get("token"):
                        return {
                            "stageName": stage["stageName"],
                            "actionName": action["actionName"],
                            "token": latest["token"],
                        }
            return None

        place = wait_for(waiting, seconds=_RELEASE_LIMIT_SECONDS, what="the manual approval of production")
        self.pipeline.put_approval_result(
            pipelineName=self.name, result={"summary": "go", "status": "Approved"}, **place
        )

    def bring_live(self, package_arn: str) -> None:
        """Approve a version, then production, and wait until it is live."""
        release = self.approve(package_arn)
        self.approve_production()
        assert self.finished(release) == "Succeeded"

    def finished(self, execution: str) -> str:
        """The status in which an execution ends."""

        def ended() -> str | None:
            status: str = self.started()[execution]["status"]
            return status if status not in ("InProgress", "Stopping") else None

        return wait_for(ended, seconds=_RELEASE_LIMIT_SECONDS, what=f"the end of release {execution}")

    def live_config(self) -> str:
        """The endpoint configuration that is live in production."""
        described = self.app.cloud.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        return str(described["EndpointConfigName"])

    def invoke(self, body: str) -> float:
        """One prediction by the production endpoint."""
        answer = self.runtime.invoke_endpoint(EndpointName=self.endpoint, ContentType="text/csv", Body=body)
        return float(answer["Body"].read())

    def records(self) -> list[dict[str, Any]]:
        """Release records, the oldest first."""
        bucket, s3 = self.app.outputs["ArtifactBucketName"], self.app.cloud.client("s3")
        # What was asked for and what waits for a decision stands in folders below.
        listed = s3.list_objects_v2(Bucket=bucket, Prefix="releases/car_prices/", Delimiter="/").get("Contents", [])
        keys = sorted(entry["Key"] for entry in listed)
        return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
