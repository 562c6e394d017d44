"""Clients and read access for the local cloud that an environment points at."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cli.control import endpoint_client


def client(service: str, environment: Mapping[str, str]) -> Any:
    """A boto3 client for the local cloud in `environment`, whatever this process's own variables say."""
    return endpoint_client(environment["AWS_ENDPOINT_URL"], service)


def read_object(environment: Mapping[str, str], uri: str) -> bytes:
    """The content of an S3 object."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return bytes(client("s3", environment).get_object(Bucket=bucket, Key=key)["Body"].read())


def stack_outputs(environment: Mapping[str, str]) -> dict[str, str]:
    """Outputs of all deployed stacks, by key."""
    stacks = client("cloudformation", environment).describe_stacks()["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", [])}
