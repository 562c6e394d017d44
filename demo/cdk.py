"""The CDK CLI as the demo uses it: synthesize into a folder, bootstrap, deploy from that folder."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.commands import ROOT, Command, clean_environment, python
from demo.deploy_lines import DeployLines
from local_cloud.processes import ProcessTable

_ACCOUNT_ENVIRONMENT = "aws://123456789012/us-east-1"
_CLI = str(ROOT / "scripts" / "cdk.py")


@dataclass(frozen=True)
class CdkApp:
    """The app at the present state of the sources.

    `assembly` is this run's own (the CLI lets one process at a time write a folder) and is removed by `synthesize`.
    """

    stage: str
    assembly: Path
    table: ProcessTable

    def synthesize(self) -> None:
        """Write templates and assets; no account is asked. Raises DemoError if the app cannot be synthesized."""
        shutil.rmtree(self.assembly, ignore_errors=True)
        arguments = ["synth", "--quiet", "--output", str(self.assembly), "-c", f"stage={self.stage}"]
        command = Command(
            python(_CLI, *arguments, "-c", f"commit={current_commit()}"),
            table=self.table,
            environment=clean_environment(),
            what="cdk synth",
        )
        command.finish_or_cancel()

    def begin_bootstrap(self, environment: Mapping[str, str]) -> Command:
        """Start to bootstrap the local cloud's account; the caller finishes or cancels it."""
        # In a folder without cdk.json the CLI bootstraps the named environment without running the app for it.
        return Command(
            python(_CLI, "bootstrap", _ACCOUNT_ENVIRONMENT),
            table=self.table,
            environment=environment,
            folder=self.assembly.parent,
            what="cdk bootstrap",
        )

    def deploy(self, environment: Mapping[str, str]) -> None:
        """Deploy all stacks, with a line for each change. Raises DemoError if that fails."""
        arguments = ["deploy", "--all", "--app", str(self.assembly), "--require-approval", "never"]
        command = Command(
            python(_CLI, *arguments, "--progress", "events"),
            table=self.table,
            environment=environment,
            show=DeployLines().show,
            what="cdk deploy",
        )
        command.finish_or_cancel()


def current_commit() -> str:
    """The commit of the checkout, or `unrecorded` without git or outside of a repository."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unrecorded"
