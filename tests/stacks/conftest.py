"""CDK in the process of the tests: slow to start, so few tests do it, and they share what they can."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from config.settings import Settings
from tests.synthesized import ROOT, node_folder

Template = dict[str, Any]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Template]]:
    """A function that gives the templates, by stack, of a stage with the given settings and projects."""
    # Read by the CDK when it is first imported.
    os.environ["JSII_NODE"] = str(node_folder() / "node")
    os.environ["CDK_VALIDATION"] = "false"
    from aws_cdk import App

    from stacks.data_lake_stack import DataLakeStack
    from stacks.projects import Project
    from stacks.stage import Stage
    from stacks.training_stack import TrainingStack

    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def synthesize(settings: Settings, projects: tuple[Project, ...]) -> dict[str, Template]:
        app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
        stage = Stage(settings=settings, projects=projects, source_root=ROOT, commit="unrecorded")
        data_lake = DataLakeStack(app, stage=stage)
        TrainingStack(app, stage=stage, data_lake=data_lake)
        return {stack.stack_name: dict(stack.template) for stack in app.synth().stacks}

    return synthesize
