"""The command line and the real server: its life from `up` to `down`, as a user sees it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local_cloud.process_identity import process_start
from local_cloud.state import StateDirectory
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A current folder with its state directory, in which nothing runs at the end."""
    yield tmp_path
    call(tmp_path, "down")


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One command, in a shell with a real account's settings."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "AWS_PROFILE": "no-such-profile",
        "AWS_SESSION_TOKEN": "a real one",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }
    return subprocess.run(
        [sys.executable, "-m", "local_cloud", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_from_up_to_down(folder: Path) -> None:
    """What a first-time user types works; a reset empties the account; a killed server is told of; `down` ends it."""
    state = StateDirectory(folder / ".local-cloud")
    started = call(folder, "up", "--port", "0")
    assert started.returncode == 0, started.stderr
    assert "unset AWS_PROFILE" in started.stdout
    server = state.server()
    assert server is not None

    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    s3 = boto3.session.Session(**keys).client("s3", endpoint_url=server.url)
    s3.create_bucket(Bucket="some-bucket")
    shown = call(folder, "status")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"local cloud: {server.url} (pid {server.pid})\n\nstacks: none\n")
    assert call(folder, "reset").returncode == 0
    assert s3.list_buckets()["Buckets"] == []

    missing = call(folder, "logs", "/aws/lambda/missing")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "error: there is no log group /aws/lambda/missing; there are: none\n"
    boto3.session.Session(**keys).client("logs", endpoint_url=server.url).create_log_group(logGroupName="/aws/x")
    assert call(folder, "logs", "/aws/x").returncode == 0
    assert call(folder, "deploy", "--app", "nowhere").stderr.startswith("error: nowhere is no cloud assembly")

    os.kill(server.pid, signal.SIGKILL)
    # The kernel gives the lock back when it has ended the process.
    wait_for(lambda: not state.claimed, what="the server to be gone")
    again = call(folder, "up", "--port", "0")
    assert f"the previous local cloud (pid {server.pid}) was killed; starting clean" in again.stderr
    second = state.server()
    assert second is not None
    assert call(folder, "down").returncode == 0
    assert process_start(second.pid) is None
    assert list((folder / ".local-cloud").glob("processes/*")) == []
