"""Small pipeline definitions."""

import json
from typing import Any

from tests.local_cloud.sagemaker.fakes import IMAGE, ROLE, FakeCloud
from tests.waiting import LIMIT_SECONDS


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> str:
    """The JSON of a definition."""
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps)})


def get(path: str) -> dict[str, str]:
    """A reference."""
    return {"Get": path}


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    """A Std:Join."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def processing(name: str, program: list[str] | None = None, **members: Any) -> dict[str, Any]:
    """A processing step with an output `out` below the execution's own prefix; `inputs` maps names to URIs."""
    inputs = members.pop("inputs", {})
    folder = "/opt/ml/processing"
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "RoleArn": ROLE,
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 5}
            },
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": program or ["python", "x.py"]},
            "ProcessingInputs": [
                {
                    "InputName": key,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"{folder}/{key}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for key, uri in inputs.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": join("s3://bucket", get("Execution.PipelineExecutionId"), name),
                            "LocalPath": f"{folder}/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        },
        **members,
    }


def condition(name: str, *conditions: dict[str, Any], **branches: Any) -> dict[str, Any]:
    """A condition step; `then` and `otherwise` are its branches."""
    arguments = {
        "Conditions": list(conditions),
        "IfSteps": branches.pop("then", []),
        "ElseSteps": branches.pop("otherwise", []),
    }
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **branches}


def equals(left: Any, right: Any) -> dict[str, Any]:
    """An Equals condition."""
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def fail(name: str, message: Any = "no", **members: Any) -> dict[str, Any]:
    """A Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **members}


def output_of(step: str) -> dict[str, str]:
    """The URI of a processing step's output."""
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")


def create(cloud: FakeCloud, text: str, **members: Any) -> str:
    """Create the pipeline `pip`; its ARN."""
    request = {"PipelineName": "pip", "RoleArn": ROLE, "PipelineDefinition": text, **members}
    arn: str = cloud.client().create_pipeline(ClientRequestToken="c" * 32, **request)["PipelineArn"]
    return arn


def start(cloud: FakeCloud, *, token: str = "t" * 32, **members: Any) -> str:
    """Start the pipeline `pip`; the execution's ARN."""
    request = {"PipelineName": "pip", "ClientRequestToken": token, **members}
    arn: str = cloud.client().start_pipeline_execution(**request)["PipelineExecutionArn"]
    return arn


def finish(cloud: FakeCloud, arn: str) -> dict[str, Any]:
    """Wait for an execution's end and describe it; one that hangs fails the test."""
    (book,) = list(cloud.engine._books)
    assert book.execution(arn).state.wait(LIMIT_SECONDS)
    return cloud.client().describe_pipeline_execution(PipelineExecutionArn=arn)


def steps(cloud: FakeCloud, arn: str) -> dict[str, dict[str, Any]]:
    """The listed steps by name."""
    answer = cloud.client().list_pipeline_execution_steps(
        PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
    )
    return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}
