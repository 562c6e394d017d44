"""Composition root: the settings of one stage become its stacks. `cdk synth -c stage=prod -c commit=<git commit>`."""

import json
import sys
from pathlib import Path

from aws_cdk import App

from config.loader import ConfigError, load_settings
from data_contracts.contract import ContractError
from sagemaker_pipelines.errors import PipelinesError
from stacks.composition import add_stacks, synthesize
from stacks.errors import StacksError
from stacks.projects import load_projects
from stacks.stage import Stage

ROOT = Path(__file__).resolve().parent


def compose(app: App) -> Stage:
    """Give the app the stacks of the stage that the context names (`dev` unless it does)."""
    context = app.node.try_get_context
    settings = load_settings(str(context("stage") or "dev"))
    projects = load_projects(settings.projects, source_root=ROOT)
    stage = Stage(settings=settings, projects=projects, source_root=ROOT, commit=str(context("commit") or "unrecorded"))
    add_stacks(app, stage)
    return stage


if __name__ == "__main__":
    # Read here, too, so that `python app.py` gives the very templates that the CLI gives.
    cdk_app = App(context=json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"])
    try:
        synthesize(cdk_app, compose(cdk_app))
    except (ConfigError, ContractError, PipelinesError, StacksError) as error:
        sys.exit(f"Cannot synthesize: {error}")
