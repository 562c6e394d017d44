"""What a pipeline definition is built from, without the SageMaker SDK: light enough for the synth of a stack.

A definition is compiled from PLACEHOLDERS, well-formed stand-ins for what only CloudFormation knows, because the
SDK looks up or parses what it is given and chokes on CDK tokens. `substitute` then puts the real values, tokens
included, into the finished text. So the text can be cached by the hash of its sources.
"""

from dataclasses import dataclass, fields

from sagemaker_pipelines.errors import DefinitionError


@dataclass(frozen=True, kw_only=True)
class JobInputs:
    """Values that a stack supplies to any pipeline. Each appears in the definition as it stands here, or as part of a
    string. `image_uri` is the runtime image, pinned by digest; the instance type is the default of a parameter.
    """

    job_role_arn: str
    image_uri: str
    kms_key_arn: str
    processing_instance_type: str


@dataclass(frozen=True, kw_only=True)
class DefinitionInputs(JobInputs):
    """Values for a pipeline that trains and registers, too.

    The instance types are the defaults of parameters; the one for inference is what the model package names as
    supported.
    """

    pipeline_name: str
    artifact_bucket: str
    model_package_group: str
    training_instance_type: str
    inference_instance_type: str


# No placeholder is a part of another or of any other text of a definition. Account 111122223333 is the one that
# AWS's documentation uses.
PLACEHOLDERS = DefinitionInputs(
    pipeline_name="placeholder-pipeline-name",
    job_role_arn="arn:aws:iam::111122223333:role/placeholder-job-role",
    image_uri="111122223333.dkr.ecr.us-east-1.amazonaws.com/placeholder-image@sha256:" + "0" * 64,
    artifact_bucket="placeholder-artifact-bucket",
    kms_key_arn="arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
    model_package_group="placeholder-model-package-group",
    processing_instance_type="placeholder-processing-instance-type",
    training_instance_type="placeholder-training-instance-type",
    inference_instance_type="placeholder-inference-instance-type",
)


def substitute(definition: str, inputs: JobInputs) -> str:
    """The definition with every placeholder replaced; raises DefinitionError if one does not occur at all.

    The values go into JSON strings as they are: a CDK token or an AWS name needs no escape there.
    """
    for field in fields(inputs):
        placeholder, value = getattr(PLACEHOLDERS, field.name), getattr(inputs, field.name)
        if placeholder not in definition:
            raise DefinitionError(
                f"the pipeline definition does not use {field.name}; it was compiled from something else than "
                "PLACEHOLDERS, or the pipeline lost the setting: compile it again"
            )
        definition = definition.replace(placeholder, value)
    return definition
