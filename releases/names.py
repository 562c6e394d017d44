"""Names of what a stage has deployed for one project, from the outputs of its CloudFormation stacks.

Must not read settings or templates: what is deployed is what counts, on AWS and locally.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from releases.errors import ReleasesError

_OUTPUTS = {
    "training_pipeline": "PipelineName",
    "group": "ModelPackageGroup",
    "release_pipeline": "ReleasePipelineName",
    "start_function": "StartReleaseFunctionName",
    "champion_parameter": "ChampionParameter",
    "staging_endpoint": "StagingEndpointName",
    "production_endpoint": "ProductionEndpointName",
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """Physical names, and the project that they belong to."""

    project: str
    stage: str
    artifact_bucket: str
    training_pipeline: str
    group: str
    release_pipeline: str
    start_function: str
    champion_parameter: str
    staging_endpoint: str
    production_endpoint: str

    @property
    def records_prefix(self) -> str:
        """Where the release records lie in the artifact bucket; ends with a slash."""
        return f"releases/{self.project}/"


def find_names(cloudformation: Any, *, stage: str, project: str | None = None) -> Names:
    """Names of a project in a stage; of the only one if none is named. Raises ReleasesError if it is not deployed."""
    outputs = _outputs(cloudformation, f"Cd4ml-{stage}-")
    if "ArtifactBucketName" not in outputs:
        raise ReleasesError(f"no stack Cd4ml-{stage}-* is deployed here; check --stage, AWS_PROFILE and AWS_REGION")
    prefix = _prefix(outputs, project)
    wanted = {name: f"{prefix}{output}" for name, output in _OUTPUTS.items()}
    missing = sorted(output for output in wanted.values() if output not in outputs)
    if missing:
        raise ReleasesError(f"the stacks of stage {stage} have no output {', '.join(missing)}; deploy them again")
    found = {name: outputs[output] for name, output in wanted.items()}
    # /cd4ml/<project>/<stage>/champion
    name = found["champion_parameter"].split("/")[2]
    return Names(project=name, stage=stage, artifact_bucket=outputs["ArtifactBucketName"], **found)


def _outputs(cloudformation: Any, stack_prefix: str) -> dict[str, str]:
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"] if stack["StackName"].startswith(stack_prefix)]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack.get("Outputs", ())}


def _prefix(outputs: Mapping[str, str], project: str | None) -> str:
    """What the outputs of a project begin with: its name in capitals, as CarPrices of car_prices."""
    if project is not None:
        return "".join(part.capitalize() for part in project.split("_"))
    ending = _OUTPUTS["release_pipeline"]
    prefixes = [key.removesuffix(ending) for key in outputs if key.endswith(ending)]
    if len(prefixes) != 1:
        raise ReleasesError(f"there are {len(prefixes)} projects with a release pipeline here: name one with --project")
    return prefixes[0]
