"""The environment variables that make AWS tools speak to the local cloud, and nothing that could reach an account."""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from local_cloud.atomic_files import write_atomically
from local_cloud.docker import write_executable
from local_cloud.state import DIRECTORY_VARIABLE, ServerRecord, StateDirectory

ACCOUNT = "123456789012"
REGION = "us-east-1"
ACCESS_KEY_ID = "LOCALCLOUDUSER00001"
"""Any key that is not a role's acts as the administrator of the default account."""
SECRET_ACCESS_KEY = "not-a-secret"  # noqa: S105 - the local cloud checks no signatures
_LOCALHOST = "127.0.0.1,localhost"
_LEADING_ASTRAY = frozenset(
    {
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
    }
)


def user_variables(state: StateDirectory, server: ServerRecord, *, inherited: Mapping[str, str]) -> dict[str, str]:
    """What boto3, the AWS CLI, the CDK CLI and the SageMaker SDK need; `inherited` is the caller's environment."""
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # The CDK CLI hands this S3 address to CloudFormation; with our own it would not be taken for S3's.
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"https://s3.{REGION}.amazonaws.com",
        "CDK_DOCKER": str(write_executable(state.path)),
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "CDK_CLI_NOTICES": "false",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_sagemaker_settings(state.path)),
        DIRECTORY_VARIABLE: str(state.path),
        **_no_proxy(inherited),
    }


def server_variables(*, inherited: Mapping[str, str], runtime_directory: Path) -> dict[str, str]:
    """The environment of the server process: the caller's, less everything that concerns AWS."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_")}
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": REGION,
        "LOCAL_CLOUD_RUNTIME_DIR": str(runtime_directory),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        **_no_proxy(inherited),
    }


def shell_lines(variables: Mapping[str, str], *, inherited: Mapping[str, str]) -> list[str]:
    """`unset` lines for what would lead the tools elsewhere, and an `export` line for each variable."""
    astray = {
        name
        for name in inherited
        if name not in variables and (name in _LEADING_ASTRAY or name.startswith("AWS_ENDPOINT_URL_"))
    }
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return [f"unset {name}" for name in sorted(astray)] + exports


def _no_proxy(inherited: Mapping[str, str]) -> dict[str, str]:
    """A proxy, where one is set, must not be asked for this machine."""
    if not any(inherited.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    present = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
    both = present if _LOCALHOST in present else ",".join(filter(None, [present, _LOCALHOST]))
    return {"NO_PROXY": both, "no_proxy": both}


def _sagemaker_settings(directory: Path) -> Path:
    """The SageMaker SDK's settings file that keeps it from reporting its use over the network (JSON is YAML)."""
    path = directory / "sagemaker-sdk.yaml"
    modules = {"TelemetryOptOut": True}
    settings = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
    write_atomically(path, json.dumps(settings))
    return path
