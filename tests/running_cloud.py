"""A local cloud for tests: the real server process on a free port, driven with unmodified clients."""

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "123456789012"
REGION = "us-east-1"
_START_LIMIT_SECONDS = 90
_MAKING_CLIENTS = threading.Lock()


@dataclass(frozen=True)
class RunningCloud:
    """One server; `environment` is what an AWS client needs to reach it."""

    port: int
    pid: int
    state_directory: Path

    @property
    def endpoint(self) -> str:
        """The URL of all services."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a child process that talks to this cloud as the account's administrator."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
        return kept | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"https://s3.{REGION}.amazonaws.com",
        }

    def client(self, service: str, **credentials: str) -> Any:
        """An unmodified boto3 client, the same every time; administrator unless credentials are given."""
        keys = credentials or {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        # Clients are safe to share between threads, making one is not.
        with _MAKING_CLIENTS:
            return _client(self.endpoint, service, tuple(keys.items()))

    def role_client(self, service: str, role_arn: str) -> Any:
        """A client with the temporary credentials of a role that trusts this account."""
        given = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return self.client(
            service,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def reset(self) -> None:
        """Empty the account."""
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=60).read()

    def kill(self) -> None:
        """End the server as a crash would: it gets no chance to clean up."""
        os.kill(self.pid, signal.SIGKILL)

    def page(self, name: str) -> Any:
        """One of the server's own pages, parsed."""
        with urllib.request.urlopen(f"{self.endpoint}/_local-cloud/{name}", timeout=60) as answer:
            return json.load(answer)


@functools.cache
def _client(endpoint: str, service: str, credentials: tuple[tuple[str, str], ...]) -> Any:
    """Made once: reading a service's model takes longer than most of what a test does with it."""
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return _session().client(service, endpoint_url=endpoint, config=config, **dict(credentials))


@functools.cache
def _session() -> boto3.session.Session:
    return boto3.session.Session(region_name=REGION)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def start_cloud(directory: Path, *, wait_scale: float | None = None) -> Iterator[RunningCloud]:
    """Start a server, wait until it is ready, and end it by its pid afterwards.

    `wait_scale` is the factor on AWS's waiting times, if not the usual one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = (directory / "server.log").open("w")
    command = [sys.executable, "-m", "local_cloud.server", "--port", str(port), "--state-dir", str(directory / "state")]
    command += ["--wait-scale", str(wait_scale)] if wait_scale else []
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    cloud = RunningCloud(port, process.pid, directory / "state")
    try:
        wait_for(lambda: _is_up(cloud, process), seconds=_START_LIMIT_SECONDS, what="the local cloud to start")
        yield cloud
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def _is_up(cloud: RunningCloud, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        log = (cloud.state_directory.parent / "server.log").read_text()
        raise AssertionError(f"the server ended with {process.returncode}:\n{log[-3000:]}")
    with contextlib.suppress(OSError):
        return bool(cloud.page("health")["status"] == "ok")
    return False
