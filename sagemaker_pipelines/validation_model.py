"""What the parts of the definition validator share: findings, flattened steps, expressions, the service model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

EXPRESSIONS = ("Get", "Std:Join", "Std:JsonGet")


@dataclass(frozen=True)
class Finding:
    """One mistake: the step (None for the definition itself), the field as a path, and what is wrong with it."""

    step: str | None
    field: str
    problem: str

    def __str__(self) -> str:
        where = f"step {self.step}" if self.step else "definition"
        return f"{where}, {self.field}: {self.problem}"


@dataclass(frozen=True)
class Step:
    """A step as it stands in the JSON, with the branches of condition steps that it is in, outermost first."""

    body: Mapping[str, Any]
    branches: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the step."""
        return str(self.body.get("Name"))

    @property
    def type(self) -> str:
        """Type of the step, valid or not."""
        return str(self.body.get("Type"))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The request of the step's job."""
        arguments: Mapping[str, Any] = self.body.get("Arguments", {})
        return arguments

    @property
    def own_arguments(self) -> dict[str, Any]:
        """The arguments without the steps of a condition's branches, which are steps of their own."""
        return {name: value for name, value in self.arguments.items() if name not in ("IfSteps", "ElseSteps")}

    @property
    def output_names(self) -> set[str]:
        """Names of the outputs of a processing job."""
        configuration = self.arguments.get("ProcessingOutputConfig")
        outputs = configuration.get("Outputs") if isinstance(configuration, dict) else None
        return {str(item.get("OutputName")) for item in outputs or [] if isinstance(item, dict)}


@dataclass(frozen=True)
class Definition:
    """Parameters by name and all steps, those within condition branches included."""

    parameters: Mapping[str, Mapping[str, Any]]
    steps: tuple[Step, ...]


def flatten_steps(steps: Any, branches: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """Every step of a list and of the branches of its condition steps."""
    found: list[Step] = []
    for body in steps if isinstance(steps, list) else []:
        step = Step(body if isinstance(body, dict) else {}, branches)
        found.append(step)
        arguments = step.arguments if isinstance(step.arguments, dict) else {}
        for branch in ("IfSteps", "ElseSteps"):
            found.extend(flatten_steps(arguments.get(branch), (*branches, f"{step.name}.{branch}")))
    return tuple(found)


def is_expression(value: Any) -> bool:
    """True for a value that SageMaker computes at run time."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in EXPRESSIONS


def walk_expressions(value: Any, field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every expression within a value, nested ones after the one around them, with its path."""
    if is_expression(value):
        yield field, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from walk_expressions(item, f"{field}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk_expressions(item, f"{field}[{index}]")


@cache
def service_model() -> ServiceModel:
    """botocore's model of the SageMaker API: package data, no client, no region."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), service_name="sagemaker")
