"""One stage as the stacks see it: its settings and projects, where the sources lie, and the commit they come from.

Must not read the environment, git or AWS: everything arrives from the composition root.
"""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Environment, RemovalPolicy, Tags
from constructs import IConstruct

from components.event_function import FunctionLogs
from config.settings import Settings
from stacks.projects import Project

_REMOVAL = {"retain": RemovalPolicy.RETAIN, "destroy": RemovalPolicy.DESTROY}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`source_root` is the repository; `commit` travels into every training run and model that comes of it."""

    settings: Settings
    projects: tuple[Project, ...]
    source_root: Path
    commit: str

    @property
    def name(self) -> str:
        """Such as `dev`."""
        return self.settings.stage

    def tag(self, scope: IConstruct) -> None:
        """Tag every resource in `scope`."""
        for name, value in {"project": "cd4ml", "stage": self.name, **self.settings.tags}.items():
            Tags.of(scope).add(name, value)

    @property
    def environment(self) -> Environment:
        """Account and region of the stage; without them, wherever the credentials of the deployment point."""
        return Environment(account=self.settings.account, region=self.settings.region)

    @property
    def function_logs(self) -> FunctionLogs:
        """Retention and removal of every function's log group."""
        logs = self.settings.logs
        return FunctionLogs(retention_days=logs.retention_days, removal_policy=_REMOVAL[logs.removal])

    def monitor_dimension(self, project: Project, monitor: str) -> str:
        """What the metrics of a monitor carry as its name: SageMaker tells a job the name of its schedule."""
        by_sagemaker = self.settings.monitoring.by_sagemaker
        return project.monitor_name(self.name, monitor) if monitor in by_sagemaker else monitor

    def stack_name(self, unit: str) -> str:
        """Name of the stack that deploys `unit` of this stage."""
        return f"Cd4ml-{self.name}-{unit}"
