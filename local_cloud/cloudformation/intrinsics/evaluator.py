"""Resolves a template value: walks it and hands each function to its resolver. It has no effect on any resource."""

from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.errors import TemplateError
from local_cloud.cloudformation.intrinsics import conditions, functions, references
from local_cloud.cloudformation.intrinsics.scope import Scope
from local_cloud.cloudformation.intrinsics.unknown import UNKNOWN, has_unknown

SUPPORTED = frozenset(functions.TEXTUAL) | frozenset(functions.STRUCTURAL) | frozenset(references.RESOLVERS)
"""Every function that may stand in a property or an output."""

_NO_VALUE = object()


class Evaluator:
    """Resolves values of one template in one scope. Conditions are decided once and remembered."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._decided: dict[str, bool] = {}

    def resolve(self, value: Any) -> Any:
        """The value with every function replaced by its result; `AWS::NoValue` removes its key or item.

        Raises TemplateError when a function's argument has the wrong form or names what does not exist.
        """
        resolved = self._resolve(value)
        return None if resolved is _NO_VALUE else resolved

    def condition(self, name: str) -> bool:
        """The decision of a named condition."""
        if name not in self._decided:
            if name not in self.scope.conditions:
                raise TemplateError(f"Template format error: Unresolved condition dependency {name}")
            self._decided[name] = self.test(self.scope.conditions[name])
        return self._decided[name]

    def test(self, expression: Any) -> bool:
        """Decide a condition expression (`Fn::Equals`, `Fn::And`, `Condition`, ...)."""
        return conditions.test(expression, self)

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Ref" and argument == "AWS::NoValue":
            return _NO_VALUE
        if name == "Fn::If":
            return self._resolve(conditions.branch(argument, self))
        if name in references.RESOLVERS:
            return references.RESOLVERS[name](argument, self)
        if name in functions.TEXTUAL:
            return functions.TEXTUAL[name](self.resolve(argument), self.scope)
        if name not in functions.STRUCTURAL:
            raise TemplateError(f"The function {name} is not emulated by the local cloud")
        resolved = self.resolve(argument)
        return UNKNOWN if has_unknown(resolved) else functions.STRUCTURAL[name](resolved, self.scope)
