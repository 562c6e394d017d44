"""Synthesizes the endpoint templates apart from the stacks that `cdk deploy --all` deploys, and checks them.

They form an assembly of their own inside the app's: `cdk diff "Endpoints/*"` shows what the next release would change,
and the release stack takes the finished file along as its source. Must not give out a template with a fault in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Stage as Assembly
from constructs import Construct

from stacks.endpoint_checks import EndpointTemplateError, faults
from stacks.endpoint_stack import CHAMPION, EndpointStack
from stacks.stage import Stage


@dataclass(frozen=True, kw_only=True)
class EndpointTemplate:
    """A synthesized template: `file` in `folder`."""

    folder: Path
    file: str


def endpoint_templates(scope: Construct, *, stage: Stage, image_uri: str) -> Mapping[str, EndpointTemplate]:
    """The endpoint template of each project of the stage, by the project's name; `image_uri` is the runtime image.

    Raises EndpointTemplateError with every fault of a template that would make a release unsafe.
    """
    assembly = Assembly(scope, "Endpoints", env=stage.environment)
    # Finished before the app is, so that the app's own tags do not reach it.
    stage.tag(assembly)
    stacks = {
        project.name: EndpointStack(assembly, stage=stage, project=project, image_uri=image_uri)
        for project in stage.projects
    }
    folder = Path(assembly.synth().directory)
    templates = {}
    for name, stack in stacks.items():
        template = json.loads((folder / stack.template_file).read_text(encoding="utf-8"))
        found = faults(template, variant=CHAMPION)
        if found:
            raise EndpointTemplateError(stack.stack_name, found)
        templates[name] = EndpointTemplate(folder=folder, file=stack.template_file)
    return templates
