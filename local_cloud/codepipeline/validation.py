"""What AWS refuses in a pipeline's structure, and what the local cloud refuses by name because it would not happen.

https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from local_cloud.codepipeline.actions.base import ActionProvider
from local_cloud.codepipeline.declaration import (
    ActionDeclaration,
    ActionType,
    ExecutionMode,
    PipelineDeclaration,
)
from local_cloud.service import ServiceError

Providers = Mapping[ActionType, ActionProvider]
_MINIMUM_STAGES = 2
_RESERVED_NAMESPACES = ("codepipeline", "variables")
_STAGE_MEMBERS = ("blockers", "onFailure", "onSuccess", "beforeEntry")
_ACTION_MEMBERS = ("commands", "environmentVariables", "outputVariables")


def check_declaration(declaration: PipelineDeclaration, *, region: str, providers: Providers) -> None:
    """Raise the ServiceError that CreatePipeline and UpdatePipeline answer for the first thing that is wrong."""
    for problem in _structure_problems(declaration):
        raise ServiceError("InvalidStructureException", problem)
    for stage in declaration.stages:
        for member in _STAGE_MEMBERS:
            if stage.document.get(member):
                text = f"{member} of stage {stage.name} is not emulated by the local cloud; leave it out"
                raise ServiceError("InvalidStageDeclarationException", text)
        for action in stage.actions:
            for problem in _action_problems(action, region=region, providers=providers):
                text = f"Action {action.name} of stage {stage.name}: {problem}"
                raise ServiceError("InvalidActionDeclarationException", text)
    for problem in _artifact_problems(declaration):
        raise ServiceError("InvalidStructureException", problem)


def _structure_problems(declaration: PipelineDeclaration) -> Iterator[str]:
    if len(declaration.stages) < _MINIMUM_STAGES:
        yield (
            f"Pipeline has only {len(declaration.stages)} stage(s). There should be a minimum of 2 stages in a pipeline"
        )
    first, *others = declaration.stages
    if any(action.type.category != "Source" for action in first.actions) or not first.actions:
        yield "Pipeline should start with a stage that only contains source actions"
    for stage in others:
        if any(action.type.category == "Source" for action in stage.actions):
            yield f"Source actions are only allowed in the first stage, but stage {stage.name} has one"
        if not stage.actions:
            yield f"Stage {stage.name} has no actions"
    for name in _repeated(stage.name for stage in declaration.stages):
        yield f"Stage names must be unique within a pipeline: {name} is used more than once"
    for stage in declaration.stages:
        for name in _repeated(action.name for action in stage.actions):
            yield f"Action names must be unique within a stage: {name} is used more than once in {stage.name}"
    yield from _setting_problems(declaration)


def _setting_problems(declaration: PipelineDeclaration) -> Iterator[str]:
    document = declaration.document
    if ("artifactStore" in document) == ("artifactStores" in document):
        yield "You must include either artifactStore or artifactStores in your pipeline, but you cannot use both"
    if len(document.get("artifactStores", {})) > 1:
        yield "artifactStores of several regions are not emulated by the local cloud; use artifactStore"
    if document.get("triggers"):
        yield "triggers are not emulated by the local cloud; start the pipeline by an EventBridge rule"
    if declaration.type == "V1" and declaration.mode is not ExecutionMode.SUPERSEDED:
        yield f"Execution mode {declaration.mode} requires pipeline type V2"
    if declaration.type == "V1" and declaration.variables:
        yield "Pipeline variables require pipeline type V2"
    for name in _repeated(variable["name"] for variable in document.get("variables", [])):
        yield f"Pipeline variable names must be unique: {name} is declared more than once"
    namespaces = [action.namespace for action in _actions(declaration) if action.namespace]
    for name in _repeated(namespaces):
        yield f"Namespaces must be unique within a pipeline: {name} is used more than once"
    for name in namespaces:
        if name in _RESERVED_NAMESPACES:
            yield f"Namespace {name} is reserved"


def _action_problems(action: ActionDeclaration, *, region: str, providers: Providers) -> Iterator[str]:
    provider = providers.get(action.type)
    if provider is None:
        known = ", ".join(sorted(str(kind) for kind in providers))
        yield f"the action type {action.type} is not emulated by the local cloud. It has: {known}"
        return
    for member in _ACTION_MEMBERS:
        if action.document.get(member):
            yield f"{member} is not valid for actions of type {action.type}"
    if action.document.get("region", region) != region:
        yield f"actions in other regions ({action.document['region']}) are not emulated by the local cloud"
    if action.timeout_minutes is not None and action.type.category != "Approval":
        yield "timeoutInMinutes is available for manual approval actions only"
    shape = provider.shape
    for what, names, allowed in (
        ("input", action.inputs, shape.inputs),
        ("output", action.outputs, shape.outputs),
    ):
        if not allowed[0] <= len(names) <= allowed[1]:
            yield f"{len(names)} {what} artifacts, but its type takes {allowed[0]} to {allowed[1]}"
    missing = sorted(shape.required - action.configuration.keys())
    if missing:
        yield f"the configuration lacks the required keys {missing}"
    unknown = sorted(action.configuration.keys() - shape.required - shape.optional)
    if unknown:
        yield f"the configuration contains unknown keys {unknown}"
    yield from provider.problems(action)


def _artifact_problems(declaration: PipelineDeclaration) -> Iterator[str]:
    for name in _repeated(name for action in _actions(declaration) for name in action.outputs):
        yield f"Output artifact names must be unique within a pipeline: {name} is declared more than once"
    made: set[str] = set()
    for stage in declaration.stages:
        for group in stage.run_orders():
            for action in group:
                for name in action.inputs:
                    if name not in made:
                        yield (
                            f"Input artifact {name} of action {action.name} in stage {stage.name} "
                            "is not an output artifact of an action that runs before it"
                        )
            made.update(name for action in group for name in action.outputs)


def _actions(declaration: PipelineDeclaration) -> list[ActionDeclaration]:
    return [action for stage in declaration.stages for action in stage.actions]


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
