"""The Rules section: assertions about parameters, checked before anything happens."""

from local_cloud.cloudformation.errors import ValidationError
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.template import Template


def check_rules(template: Template, evaluator: Evaluator) -> None:
    """Raises ValidationError with the description of every assertion that does not hold."""
    failures = []
    for name, rule in template.rules.items():
        if "RuleCondition" in rule and not evaluator.test(rule["RuleCondition"]):
            continue
        failures += [
            assertion.get("AssertDescription", f"Rule {name} is not satisfied")
            for assertion in rule.get("Assertions", [])
            if not evaluator.test(assertion["Assert"])
        ]
    if failures:
        raise ValidationError(f"Template validation error: {'; '.join(failures)}")
