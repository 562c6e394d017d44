"""Loads the AWS Step Functions Data Science SDK (`stepfunctions`) beside version 3 of the SageMaker SDK.

As shipped (2.3.0, of 2022) it imports parts of version 2 of the SageMaker SDK and a `pkg_resources` that setuptools
has dropped, and it sets the root logger to ERROR. Here its two SageMaker modules are replaced by ones that explain
themselves, and everything else is left as it was found. Must not touch the modules of `sagemaker`.
"""

import importlib
import importlib.metadata
import importlib.util
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

from workflows.errors import WorkflowsError

INSTALL = "pip install -r requirements-workflows.txt"
_NEEDS_SAGEMAKER_2 = ("stepfunctions.steps.sagemaker", "stepfunctions.template")
_ABSENT = object()


@dataclass(frozen=True)
class Sdk:
    """The SDK's modules: `steps` (states and service integrations), `inputs` (placeholders), `workflow` (Workflow)."""

    steps: Any
    inputs: Any
    workflow: Any


def load() -> Sdk:
    """The SDK; the same modules at every call. Raises WorkflowsError, with the command to run, if it is missing."""
    if importlib.util.find_spec("stepfunctions") is None:
        raise WorkflowsError(f"the Step Functions Data Science SDK is not installed; run: {INSTALL}")
    with _as_found():
        for name in _NEEDS_SAGEMAKER_2:
            sys.modules.setdefault(name, _Explaining(name))
        return Sdk(*(importlib.import_module(f"stepfunctions.{part}") for part in ("steps", "inputs", "workflow")))


@contextmanager
def _as_found() -> Iterator[None]:
    """A stand-in for pkg_resources while the SDK is imported; it and the root logger's level are put back."""
    root, level = logging.getLogger(), logging.getLogger().level
    before = sys.modules.get("pkg_resources", _ABSENT)
    stand_in = ModuleType("pkg_resources")
    stand_in.require = _require  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = stand_in
    try:
        with warnings.catch_warnings():
            # Its sources compare with `is`, of which Python warns whenever it compiles them.
            warnings.simplefilter("ignore", SyntaxWarning)
            yield
    finally:
        root.setLevel(level)
        if isinstance(before, ModuleType):
            sys.modules["pkg_resources"] = before
        else:
            del sys.modules["pkg_resources"]


def _require(distribution: str) -> list[SimpleNamespace]:
    """What `pkg_resources.require` is asked for: the version, and no check of what else is installed."""
    return [SimpleNamespace(version=importlib.metadata.version(distribution))]


class _Explaining(ModuleType):
    """Stands in for a module that needs version 2 of the SageMaker SDK: its names exist, to use them is an error."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_: Any, **__: Any) -> NoReturn:
            raise WorkflowsError(
                f"{self.__name__}.{name} needs version 2 of the SageMaker SDK, and this project has version 3; "
                "use a Task with a resource such as arn:aws:states:::aws-sdk:sagemaker:createModel, "
                "or start a SageMaker pipeline as workflows/review_model.py does"
            )

        return refuse
