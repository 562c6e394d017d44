"""The graph of a pipeline's steps: references must name what exists, and nothing may wait for itself."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from botocore.model import Shape

from local_cloud.api_model import ApiModel
from local_cloud.sagemaker.pipelines.expressions import EXECUTION_VARIABLES, Reference, references
from local_cloud.sagemaker.pipelines.problems import bad_definition
from local_cloud.sagemaker.pipelines.steps import PipelineDefinition, Step, StepType

_DESCRIBE_OPERATIONS: Mapping[StepType, str] = {
    StepType.PROCESSING: "DescribeProcessingJob",
    StepType.TRAINING: "DescribeTrainingJob",
    StepType.REGISTER_MODEL: "DescribeModelPackage",
}


def check_graph(definition: PipelineDefinition, model: ApiModel) -> None:
    """Raise ValidationException for unknown references and dependencies, and for cycles."""
    for step in definition.steps.values():
        own = {name: value for name, value in step.arguments.items() if name not in ("IfSteps", "ElseSteps")}
        for name in sorted(step.dependencies - set(definition.steps)):
            raise bad_definition(f"Step {step.name!r}: there is no step {name!r}, which it depends on.")
        for reference in references(own):
            if problem := _problem(reference, definition, model):
                raise bad_definition(f"Step {step.name!r}: Get {reference.text!r}: {problem}.")
    try:
        TopologicalSorter({step.name: step.dependencies for step in definition.steps.values()}).prepare()
    except CycleError as error:
        raise bad_definition(f"the steps {' -> '.join(reversed(error.args[1]))} wait for each other.") from error


def _problem(reference: Reference, definition: PipelineDefinition, model: ApiModel) -> str | None:
    if reference.root == "Parameters":
        declared = {parameter.name for parameter in definition.parameters}
        return None if reference.name in declared else f"there is no parameter {reference.name!r}"
    if reference.root == "Execution":
        return None if reference.name in EXECUTION_VARIABLES else f"there is no execution variable {reference.name!r}"
    return _property_problem(reference, definition.steps[reference.name], model)


def _property_problem(reference: Reference, step: Step, model: ApiModel) -> str | None:
    if reference.path[:1] == ("PropertyFiles",):
        names = {file.name for file in step.property_files}
        wanted = reference.path[1] if len(reference.path) > 1 else None
        return None if wanted in names else f"step {step.name!r} has no property file {wanted!r}"
    if step.type not in _DESCRIBE_OPERATIONS:
        return f"a {step.type} step has no properties"
    shape = model.output_shape(_DESCRIBE_OPERATIONS[step.type])
    for part in reference.path:
        shape = _member(shape, part)
        if shape is None:
            return f"a {step.type} step has no property {part!r} there"
    return None


def _member(shape: Shape | None, part: str | int) -> Shape | None:
    if shape is None:
        return None
    if shape.type_name == "structure":
        found: Shape | None = shape.members.get(str(part))
        return found
    if shape.type_name in ("list", "map"):
        inner: Shape = shape.member if shape.type_name == "list" else shape.value
        return inner
    return None
