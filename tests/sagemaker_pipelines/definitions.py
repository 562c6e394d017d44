"""The compiled definition of the project, for tests that read or spoil it."""

import copy
import json
from functools import cache
from typing import Any

from sagemaker_pipelines.compile import compiled_definition
from sagemaker_pipelines.validation_model import flatten_steps


@cache
def _compiled() -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(compiled_definition("car_prices"))
    return definition


def car_prices_definition() -> dict[str, Any]:
    """A fresh copy of the definition."""
    return copy.deepcopy(_compiled())


def step_of(definition: dict[str, Any], name: str) -> dict[str, Any]:
    """The JSON of one step, wherever it stands; changes to it change the definition."""
    (found,) = (step.body for step in flatten_steps(definition["Steps"]) if step.name == name)
    assert isinstance(found, dict)
    return found
