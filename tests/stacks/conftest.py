"""CDK in the process of the tests: slow to start, so few tests do it, and they share what they can."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.synthesized import ROOT, node_folder, stack_files

Template = dict[str, Any]


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Template]]:
    """A function that gives the templates, by stack, of a stage with the given settings and projects."""
    # Read by the CDK when it is first imported.
    os.environ["JSII_NODE"] = str(node_folder() / "node")
    os.environ["CDK_VALIDATION"] = "false"
    from aws_cdk import App

    from stacks.composition import add_stacks
    from stacks.projects import Project
    from stacks.stage import Stage

    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def synthesize(settings: Settings, projects: tuple[Project, ...]) -> dict[str, Template]:
        app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
        stage = Stage(settings=settings, projects=projects, source_root=ROOT, commit="unrecorded")
        add_stacks(app, stage)
        app.synth()
        return {stack: json.loads(file.read_text()) for stack, file in stack_files(Path(app.outdir))}

    return synthesize


@pytest.fixture(scope="session")
def synthesize_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Template]:
    """A function that gives the endpoint template of `car_prices` in a stage with the given settings."""
    os.environ["JSII_NODE"] = str(node_folder() / "node")
    os.environ["CDK_VALIDATION"] = "false"
    from aws_cdk import App

    from stacks.endpoint_templates import endpoint_templates
    from stacks.projects import load_projects
    from stacks.stage import Stage

    projects = load_projects(("car_prices",), source_root=ROOT)
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    def synthesize(settings: Settings) -> Template:
        app = App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
        stage = Stage(settings=settings, projects=projects, source_root=ROOT, commit="unrecorded")
        template = endpoint_templates(app, stage=stage, image_uri="image:tag")["car_prices"]
        return dict(json.loads((template.folder / template.file).read_text()))

    return synthesize
