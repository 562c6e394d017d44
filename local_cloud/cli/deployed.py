"""What `status` shows of endpoints and releases: plain rows, from the server's own page and the AWS APIs."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

RELEASES_SHOWN = 5


def endpoint_rows(endpoints: list[dict[str, Any]], client: Any) -> list[dict[str, str]]:
    """Each endpoint with the share of the traffic that each model version gets; `client` is SageMaker's."""
    return [
        {"endpoint": endpoint["name"], "status": endpoint["status"], "traffic": _traffic(endpoint, client)}
        for endpoint in endpoints
    ]


def release_rows(client: Any) -> list[dict[str, str]]:
    """The latest executions of each pipeline of CodePipeline, newest first."""
    rows = []
    for page in client.get_paginator("list_pipelines").paginate():
        for pipeline in page["pipelines"]:
            answer = client.list_pipeline_executions(pipelineName=pipeline["name"], maxResults=RELEASES_SHOWN)
            rows += [_release(pipeline["name"], summary) for summary in answer["pipelineExecutionSummaries"]]
    return rows


def _release(pipeline: str, summary: Mapping[str, Any]) -> dict[str, str]:
    return {
        "pipeline": pipeline,
        "execution": summary["pipelineExecutionId"],
        "status": summary["status"],
        "started": f"{summary['startTime']:%Y-%m-%d %H:%M:%S}",
    }


def _traffic(endpoint: Mapping[str, Any], client: Any) -> str:
    shares = endpoint["history"][-1]["traffic"] if endpoint["history"] else {}
    shown = (f"{_version(client, config)} {share:.0%}" for config, share in shares.items() if share > 0)
    return ", ".join(shown) or "none"


def _version(client: Any, config: str) -> str:
    """The model package (group/version) that a configuration serves, or the configuration if it serves no package."""
    try:
        variants = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = client.describe_model(ModelName=variants[0]["ModelName"])
    except ClientError:
        # CloudFormation deletes a configuration before the endpoint tells of its last change.
        return config
    containers = [model.get("PrimaryContainer") or {}, *model.get("Containers", [])]
    packages = [container["ModelPackageName"] for container in containers if "ModelPackageName" in container]
    return packages[0].rpartition(":model-package/")[2] or packages[0] if packages else config
