"""The process that `compile` starts to run the SageMaker SDK. Not for use by hand: it relies on its environment.

`python -m sagemaker_pipelines.compiler_process PROJECT FILE` writes the canonical, validated definition.
"""

import importlib
import json
import sys
from pathlib import Path
from unittest.mock import patch

from sagemaker_pipelines.definition import PLACEHOLDERS
from sagemaker_pipelines.errors import DefinitionError, PipelinesError
from sagemaker_pipelines.validation import validate_definition


def build_definition(project: str) -> str:
    """Canonical JSON of a project's pipeline; raises DefinitionError if SageMaker would not accept it."""
    module = importlib.import_module(f"sagemaker_pipelines.{project}.pipeline")
    # The SDK checks its own configuration schema at every look-up, 61 times and 10 s for one pipeline. The
    # configuration is the constant of `compile`.
    with patch("jsonschema.validate"):
        definition = json.loads(module.build_pipeline(PLACEHOLDERS).definition())
    # The SDK writes null for what is not used; SageMaker's schema has no null there.
    definition = {name: value for name, value in definition.items() if value is not None}
    findings = validate_definition(definition)
    if findings:
        raise DefinitionError("SageMaker would not accept the definition:\n" + "\n".join(map(str, findings)))
    return json.dumps(definition, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Entry point of the process."""
    project, file = sys.argv[1:]
    try:
        Path(file).write_text(build_definition(project), encoding="utf-8")
    except PipelinesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
