"""A version of the registry as SageMaker serves it: the Model, and the EndpointConfig with its variants.

Must not name either: both are immutable, so a new version is a new resource beside the old one, and the old one goes
only after the endpoint has moved. CloudFormation derives the names from the logical ids, which are in lower case
because SageMaker's ARNs are, and IAM compares ARNs.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import CfnCondition
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

_CSV_TYPES = ["text/csv"]
_JSON_TYPES = ["application/json", "application/jsonlines"]
# Their disks are encrypted by the hardware; SageMaker refuses a key for them.
_FAMILIES_WITH_LOCAL_STORAGE = frozenset(
    {
        *("c5d", "c6gd", "m5d", "m6gd", "r5d", "r6gd", "r7gd"),
        *("dl1", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "p3dn", "p4d", "p4de", "p5", "p5e", "p5en"),
        *("trn1", "trn1n", "trn2"),
    }
)


@dataclass(frozen=True, kw_only=True)
class ServedVariant:
    """One model on `instance_count` machines (perhaps a token), if `condition` holds at deployment."""

    name: str
    model_name: str
    instance_count: float
    condition: CfnCondition | None = None


@dataclass(frozen=True, kw_only=True)
class CaptureSettings:
    """Which share of the requests is kept, and where (S3 URI)."""

    percent: int
    destination: str


class ServedModel(Construct):
    """The Model of one package; `name` is public. The image and the archive are the package's."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        logical_id: str,
        model_package_arn: str,
        execution_role_arn: str,
        condition: CfnCondition | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=execution_role_arn,
            containers=[sagemaker.CfnModel.ContainerDefinitionProperty(model_package_name=model_package_arn)],
            # The server answers SageMaker and calls nobody.
            enable_network_isolation=True,
        )
        model.override_logical_id(logical_id)
        model.cfn_options.condition = condition
        self.name = model.attr_model_name


class EndpointConfiguration(Construct):
    """An EndpointConfig of one production variant and at most one shadow; `name` is public."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        logical_id: str,
        instance_type: str,
        variants: Sequence[ServedVariant],
        capture: CaptureSettings,
        encryption_key_arn: str,
    ) -> None:
        """The first of `variants` answers, a second one gets a copy of its requests."""
        super().__init__(scope, construct_id)
        production, *shadows = variants
        configuration = sagemaker.CfnEndpointConfig(
            self,
            "Configuration",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(**_fields(production, instance_type))
            ],
            data_capture_config=_capture(capture, encryption_key_arn),
            kms_key_id=None if _has_local_storage(instance_type) else encryption_key_arn,
        )
        for shadow in shadows:
            configuration.add_property_override("ShadowProductionVariants", _shadows(shadow, instance_type))
        configuration.override_logical_id(logical_id)
        self.name = configuration.attr_endpoint_config_name


def _fields(variant: ServedVariant, instance_type: str) -> dict[str, Any]:
    return {
        "variant_name": variant.name,
        "model_name": variant.model_name,
        "instance_type": instance_type,
        "initial_instance_count": variant.instance_count,
        "initial_variant_weight": 1,
    }


def _shadows(variant: ServedVariant, instance_type: str) -> Any:
    """In CloudFormation's spelling, which is the only one that a condition takes."""
    fields = _fields(variant, instance_type).items()
    value = [{"".join(word.capitalize() for word in name.split("_")): value for name, value in fields}]
    if variant.condition is None:
        return value
    return {"Fn::If": [variant.condition.logical_id, value, {"Ref": "AWS::NoValue"}]}


def _capture(capture: CaptureSettings, key_arn: str) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
    option = sagemaker.CfnEndpointConfig.CaptureOptionProperty
    return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
        enable_capture=capture.percent > 0,
        initial_sampling_percentage=capture.percent,
        destination_s3_uri=capture.destination,
        kms_key_id=key_arn,
        capture_options=[option(capture_mode="Input"), option(capture_mode="Output")],
        # Other types are captured, too, but as Base64.
        capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
            csv_content_types=_CSV_TYPES, json_content_types=_JSON_TYPES
        ),
    )


def _has_local_storage(instance_type: str) -> bool:
    return instance_type.split(".")[1] in _FAMILIES_WITH_LOCAL_STORAGE
