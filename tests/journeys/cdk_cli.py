"""The unmodified CDK CLI, as a cloud engineer types it, against a local cloud."""

import subprocess
import sys
from pathlib import Path

from local_cloud.docker import write_executable
from tests.running_cloud import ACCOUNT, REGION, ROOT, RunningCloud

_LIMIT_SECONDS = 180


def cdk(cloud: RunningCloud, *arguments: str, folder: Path = ROOT) -> str:
    """Output of one command of the CLI, which must succeed."""
    stand_in = write_executable(cloud.state_directory)
    environment = cloud.environment | {"CDK_DOCKER": str(stand_in), "CDK_CLI_NOTICES": "false", "NO_COLOR": "1"}
    command = [sys.executable, str(ROOT / "scripts" / "cdk.py"), *arguments]
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def bootstrap(cloud: RunningCloud, *, folder: Path) -> None:
    """Prepare the account for the CLI; `folder` holds no app."""
    cdk(cloud, "bootstrap", f"aws://{ACCOUNT}/{REGION}", folder=folder)
