"""What UpdateModelPackage changes: the members it is given, and nothing else.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.service import invalid

_REPLACED = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelLifeCycle",
)
MAXIMUM_PROPERTIES = 50
MAXIMUM_SPECIFICATIONS = 15


def updated_members(members: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The members after an update, and the names of those that changed (UpdatedModelPackageFields of the event).

    Raises ValidationException if a limit would be passed; then nothing changes.
    """
    result = dict(members)
    result |= {name: changes[name] for name in _REPLACED if name in changes}
    _update_properties(result, changes)
    _add_specifications(result, changes)
    if "ModelCard" in changes:
        result["ModelCard"] = members.get("ModelCard", {}) | changes["ModelCard"]
    changed = [name for name in {**members, **result} if result.get(name) != members.get(name)]
    return result, changed


def _update_properties(result: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """CustomerMetadataProperties are merged; those to remove go after that."""
    properties = result.get("CustomerMetadataProperties", {}) | changes.get("CustomerMetadataProperties", {})
    for key in changes.get("CustomerMetadataPropertiesToRemove", ()):
        properties.pop(key, None)
    if len(properties) > MAXIMUM_PROPERTIES:
        raise invalid(f"A model package has at most {MAXIMUM_PROPERTIES} CustomerMetadataProperties.")
    result.pop("CustomerMetadataProperties", None)
    if properties:
        result["CustomerMetadataProperties"] = properties


def _add_specifications(result: dict[str, Any], changes: Mapping[str, Any]) -> None:
    added = changes.get("AdditionalInferenceSpecificationsToAdd", ())
    if not added:
        return
    known = result.get("AdditionalInferenceSpecifications", [])
    taken = {item["Name"] for item in known} & {item["Name"] for item in added}
    if taken:
        raise invalid(f"AdditionalInferenceSpecifications of these names exist: {', '.join(sorted(taken))}.")
    if len(known) + len(added) > MAXIMUM_SPECIFICATIONS:
        raise invalid(f"A model package has at most {MAXIMUM_SPECIFICATIONS} AdditionalInferenceSpecifications.")
    result["AdditionalInferenceSpecifications"] = [*known, *added]
