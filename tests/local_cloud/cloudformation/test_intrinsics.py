"""Functions of templates."""

from collections.abc import Mapping
from typing import Any

import pytest

from local_cloud.cloudformation.errors import TemplateError
from local_cloud.cloudformation.intrinsics.evaluator import Evaluator
from local_cloud.cloudformation.intrinsics.scope import Scope
from local_cloud.cloudformation.intrinsics.unknown import UNKNOWN


class _Resources:
    """Two resources; the values of `New` are not known yet."""

    def __contains__(self, name: object) -> bool:
        return name in ("Bucket", "New")

    def reference(self, name: str) -> Any:
        return UNKNOWN if name == "New" else "my-bucket"

    def attribute(self, name: str, attribute: str) -> Any:
        return UNKNOWN if name == "New" else f"{name}.{attribute}"


class _Stacks:
    def export(self, name: str) -> str:
        return f"exported {name}"

    def output(self, stack_name: str, output_name: str) -> str:
        return f"{output_name} of {stack_name}"


def _evaluator(conditions: Mapping[str, Any] | None = None) -> Evaluator:
    return Evaluator(
        Scope(
            pseudo={"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012"},
            parameters={"Stage": "dev", "Zones": ["a", "b"]},
            mappings={"Sizes": {"dev": {"memory": 128}}},
            conditions=conditions or {},
            resources=_Resources(),
            cross_stack=_Stacks(),
        )
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "Bucket"}, "my-bucket"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "Bucket.Arn"),
        ({"Fn::GetAtt": "Bucket.Nested.Name"}, "Bucket.Nested.Name"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 3, True]]}, "a-dev-3-true"),
        ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
        ({"Fn::Sub": "${Stage}/${Bucket.Arn}/${!Literal}"}, "dev/Bucket.Arn/${Literal}"),
        ({"Fn::Sub": ["${Mine}-${Stage}", {"Mine": {"Ref": "Bucket"}}]}, "my-bucket-dev"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 128),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
        ({"Fn::Length": {"Ref": "Zones"}}, 2),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${Stage}-arn"}}, "exported dev-arn"),
        ({"Fn::GetStackOutput": {"StackName": "S", "OutputName": "O"}}, "O of S"),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_each_function_gives_its_result(value: Any, expected: Any) -> None:
    """One case for each function; a policy's Condition key is no function."""
    assert _evaluator().resolve(value) == expected


def test_no_value_removes_keys_and_items() -> None:
    """AWS::NoValue takes away what holds it, through Fn::If as well, and leaves the rest alone."""
    evaluator = _evaluator({"Never": {"Fn::Equals": ["a", "b"]}})
    nothing = {"Ref": "AWS::NoValue"}

    resolved = evaluator.resolve(
        {"a": nothing, "b": [1, nothing, 2], "c": {"Fn::If": ["Never", 1, nothing]}, "d": None}
    )

    assert resolved == {"b": [1, 2], "d": None}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, True),
        ({"Fn::Equals": ["true", True]}, True),
        ({"Fn::Not": [{"Condition": "IsDev"}]}, False),
        ({"Fn::And": [{"Condition": "IsDev"}, {"Fn::Equals": [1, "1"]}]}, True),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Condition": "IsDev"}]}, True),
        ({"Fn::Contains": [["1", "2"], "3"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "Zones"}, ["a", "b", "c"]]}, True),
        ({"Fn::EachMemberEquals": [{"Ref": "Zones"}, "a"]}, False),
    ],
)
def test_each_condition_function_decides(expression: Any, expected: bool) -> None:
    """Conditions and rules share these functions."""
    evaluator = _evaluator({"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}})

    assert evaluator.test(expression) is expected


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Ref": "Nobody"}, "Nobody"),
        ({"Fn::GetAtt": ["Nobody", "Arn"]}, "Nobody"),
        ({"Fn::Select": [5, ["a"]]}, "index 5"),
        ({"Fn::FindInMap": ["Sizes", "prod", "memory"]}, "Sizes::prod::memory"),
        ({"Fn::If": ["Absent", 1, 2]}, "Absent"),
        ({"Fn::Transform": {}}, "Fn::Transform"),
        ({"Fn::Join": ["-", {"a": 1}]}, "Fn::Join"),
        ({"Fn::Sub": "${Zones}"}, "a string is needed"),
    ],
)
def test_what_cannot_work_is_refused_by_name(value: Any, named: str) -> None:
    """The message names the function, the reference or the index."""
    with pytest.raises(TemplateError, match=named):
        _evaluator().resolve(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::Join": ["/", ["s3:", {"Ref": "New"}]]}, f"s3:/{UNKNOWN}"),
        ({"Fn::Sub": "arn:${New.Arn}"}, f"arn:{UNKNOWN}"),
        ({"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["New", "Arn"]}]}]}, UNKNOWN),
        ({"Fn::Base64": {"Ref": "New"}}, UNKNOWN),
    ],
)
def test_unknown_values_pass_through(value: Any, expected: Any) -> None:
    """A plan can be made before resources exist: text keeps what is known, all else becomes unknown."""
    assert _evaluator().resolve(value) == expected
