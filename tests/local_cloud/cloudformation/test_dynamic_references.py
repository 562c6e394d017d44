"""References that are resolved in finished properties."""

import pytest

from local_cloud.cloudformation.dynamic_references import resolve_dynamic_references
from local_cloud.cloudformation.errors import TemplateError


def test_parameter_store_references_are_filled_in_anywhere() -> None:
    """Inside text, lists and maps, with and without a version."""
    value = {"a": ["x-{{resolve:ssm:/name}}", {"b": "{{resolve:ssm:/name:3}}"}], "c": 1, "d": "{{other}}"}

    resolved = resolve_dynamic_references(value, lambda name: f"<{name}>")

    assert resolved == {"a": ["x-</name>", {"b": "</name:3>"}], "c": 1, "d": "{{other}}"}


@pytest.mark.parametrize("service", ["secretsmanager", "ssm-secure"])
def test_secrets_are_refused_by_name(service: str) -> None:
    """The local cloud holds no secrets, so it must not pretend to."""
    with pytest.raises(TemplateError, match=service):
        resolve_dynamic_references(f"{{{{resolve:{service}:password}}}}", str)
