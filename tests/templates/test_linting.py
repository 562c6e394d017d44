"""An independent opinion on the templates: the CloudFormation linter with the registry's schemas."""

from cfnlint.api import lint_file

from tests.templates.conftest import Templates

# CDK writes the dependency of a function on its role beside the reference that implies it.
_HARMLESS = {"W3005"}


def test_the_linter_finds_nothing(templates: Templates) -> None:
    """Every property exists, has the right type and an allowed value."""
    findings = [
        f"{stack}: {match}"
        for stack, file in templates.files.items()
        for match in lint_file(file)
        if match.rule.id not in _HARMLESS
    ]

    assert findings == []
