"""The base of every stack that the app deploys: its name, its place and its outputs, as the stage says.

Must not create any resource.
"""

from collections.abc import Mapping

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.stage import Stage


class StageStack(Stack):
    """`unit` of `stage`, such as `Training`."""

    def __init__(self, scope: Construct, unit: str, *, stage: Stage, description: str) -> None:
        super().__init__(scope, stage.stack_name(unit), description=f"CD4ML: {description}", env=stage.environment)
        self._stage = stage

    def add_outputs(self, outputs: Mapping[str, tuple[str, str]], *, prefix: str = "") -> None:
        """`outputs`: name -> value and description; `prefix` begins all names, as a project's title does."""
        for name, (value, description) in outputs.items():
            CfnOutput(self, f"{prefix}{name}", value=value, description=description)
