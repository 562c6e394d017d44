"""The projects of a stage: what the stacks must know of each, found by its folder in `sagemaker_pipelines/`.

Must not know any project by name: a further one is a folder and a line in the settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_contracts.contract import DataContract, load_contract
from stacks.errors import StacksError

PIPELINES_FOLDER = "sagemaker_pipelines"
_CONTRACT_FILE = "data_contract.toml"
STAGING, PRODUCTION = "staging", "production"
_LONGEST_SAGEMAKER_NAME = 63


class ProjectError(StacksError):
    """The settings name a project that the repository does not hold, or two that exclude each other."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """One use case: its name in settings and folders, and the contract of the dataset that it learns from."""

    name: str
    contract_file: Path
    contract: DataContract

    def resource_name(self, stage: str) -> str:
        """Name of the project's pipeline and model package group in a stage, as `car-prices-dev`."""
        return f"{self.name.replace('_', '-')}-{stage}"

    @property
    def title(self) -> str:
        """The name as stacks and outputs carry it, as `CarPrices`."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    def artifact_prefix(self, stage: str) -> str:
        """Where the project's pipeline keeps its outputs in the artifact bucket."""
        return f"pipelines/{self.resource_name(stage)}/"

    def endpoint_name(self, stage: str, environment: str) -> str:
        """Name of the endpoint of `staging` or `production`, the same for every version."""
        return f"{self.resource_name(stage)}-{environment}"

    def endpoint_stack_name(self, stage: str, environment: str) -> str:
        """Stack that a release deploys; production has the template's own name, so that `cdk diff` compares with it."""
        suffix = "" if environment == PRODUCTION else f"-{environment.capitalize()}"
        return f"Cd4ml-{stage}-{self.title}Endpoint{suffix}"

    def champion_parameter(self, stage: str) -> str:
        """SSM parameter that holds the ARN of the live version, or `none`."""
        return f"/cd4ml/{self.name}/{stage}/champion"

    def monitor_name(self, stage: str, monitor: str) -> str:
        """Name of the monitoring schedule, where SageMaker runs a monitor; at most 63 characters, or ProjectError."""
        name = f"{self.resource_name(stage)}-{monitor}"
        if len(name) > _LONGEST_SAGEMAKER_NAME:
            raise ProjectError(
                f"{name!r} is too long for a monitoring schedule: at most {_LONGEST_SAGEMAKER_NAME} characters; "
                "shorten the monitor's name, the project's or the stage's"
            )
        return name

    @property
    def release_prefix(self) -> str:
        """Where the project's release records lie in the artifact bucket."""
        return f"releases/{self.name}/"

    @property
    def monitoring_prefix(self) -> str:
        """Where the analyses of the project's live model lie in the artifact bucket."""
        return f"monitoring/runs/{self.name}/"

    def resource_prefix(self, stage: str) -> str:
        """How the logical ids of Model and EndpointConfig begin: in lower case, as SageMaker's ARNs are."""
        return self.resource_name(stage).replace("-", "")


def load_projects(names: Sequence[str], *, source_root: Path) -> tuple[Project, ...]:
    """The named projects, with their contracts read.

    Raises ProjectError for a missing folder or a dataset with two contracts, and ContractError for a wrong contract.
    """
    projects = tuple(_load(name, source_root / PIPELINES_FOLDER) for name in names)
    owners: dict[str, str] = {}
    for project in projects:
        other = owners.setdefault(project.contract.dataset, project.name)
        if other != project.name:
            raise ProjectError(
                f"projects {other} and {project.name} both bring a contract for dataset "
                f"{project.contract.dataset!r}: a dataset has one contract, so rename one of the two"
            )
    return projects


def _load(name: str, folder: Path) -> Project:
    contract_file = folder / name / _CONTRACT_FILE
    if not contract_file.is_file():
        known = sorted(path.parent.name for path in folder.glob(f"*/{_CONTRACT_FILE}"))
        raise ProjectError(
            f"settings: projects: no project {name!r}, since {PIPELINES_FOLDER}/{name}/{_CONTRACT_FILE} "
            f"does not exist; there are: {', '.join(known) or 'none'}"
        )
    return Project(name=name, contract_file=contract_file, contract=load_contract(contract_file))
