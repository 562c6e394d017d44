"""What a target gets of an event."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.events.transform import MISSING, TransformError, fill_template, target_input, value_at
from tests.local_cloud.events.documents import JSON

RULE = "arn:aws:events:us-east-1:123456789012:rule/on-upload"
EVENT = {
    "id": "7bf73129",
    "time": "2026-01-02T03:04:05Z",
    "detail": {"name": 'a "b"\n', "n": 3, "tags": [{"k": "x"}, {"k": "y"}], "with-dash": {"deep": None}},
}


def given_to(target: dict[str, Any]) -> str:
    """The input of a target for the event above."""
    return target_input({"Arn": "any", **target}, EVENT, rule_arn=RULE, ingestion_time="2026-01-02T03:04:06Z")


def transformed(template: str, **paths: str) -> str:
    """The input of a target with an InputTransformer."""
    return given_to({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})


def test_a_plain_target_gets_the_whole_event() -> None:
    """Without settings the event itself is handed on."""
    assert json.loads(given_to({})) == EVENT


def test_a_constant_input_is_handed_on_as_it_is() -> None:
    """Input is not parsed again."""
    assert given_to({"Input": '{"a":  1}'}) == '{"a":  1}'


def test_a_path_takes_a_part() -> None:
    """InputPath hands on the JSON of one value, null where there is none."""
    assert given_to({"InputPath": "$.detail.tags"}) == '[{"k": "x"}, {"k": "y"}]'
    assert given_to({"InputPath": "$.detail.missing"}) == "null"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"n": <n>, "text": "n is <n>"}', {"n": 3, "text": "n is 3"}),
        ('{"name": <name>}', {"name": 'a "b"\n'}),
        ('{"text": "<name> here"}', {"text": 'a "b"\n here'}),
        ('{"tags": <tags>}', {"tags": [{"k": "x"}, {"k": "y"}]}),
        ('{"text": "tags <tags>"}', {"text": "tags [{k: x}, {k: y}]"}),
        ('{"a": <missing>, "b": "[<missing>]"}', {"a": "", "b": "[]"}),
        ('{"other": "<unknown> stays"}', {"other": "<unknown> stays"}),
        ('{"rule": <aws.events.rule-arn>, "name": "<aws.events.rule-name>"}', {"rule": RULE, "name": "on-upload"}),
        ('{"at": <aws.events.event.ingestion-time>}', {"at": "2026-01-02T03:04:06Z"}),
        ("<aws.events.event.json>", EVENT),
        ("<aws.events.event>", {key: value for key, value in EVENT.items() if key != "detail"}),
        ('"just <n> words"', "just 3 words"),
    ],
)
def test_a_template_is_filled_so_that_it_stays_json(template: str, expected: Any) -> None:
    """Strings are quoted or escaped, objects become JSON or bare text, depending on where the variable stands."""
    filled = transformed(
        template, n="$.detail.n", name="$.detail.name", tags="$.detail.tags", missing="$.detail.nothing"
    )
    assert json.loads(filled) == expected


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", EVENT),
        ("$.detail.tags[1].k", "y"),
        ("$.detail.tags[*].k", ["x", "y"]),
        ("$.detail['with-dash'].deep", None),
        ("$.detail.with-dash.deep", None),
        ("$.detail.tags[7]", MISSING),
        ("$.detail.n.deeper", MISSING),
        ("$.nothing[*]", []),
    ],
)
def test_paths(path: str, value: Any) -> None:
    """Dots, indices, quoted names and wildcards; a null is found, an absent field is not."""
    assert value_at(EVENT, path) == value


@pytest.mark.parametrize("path", ["detail.n", "$detail", "$.a[b]", "$..a", ""])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    """A wrong path is an error that shows it, not an empty result."""
    with pytest.raises(TransformError):
        value_at(EVENT, path)


@given(template=st.text(alphabet='<>ab"\\{}: ', max_size=20), value=JSON)
def test_any_template_can_be_filled(template: str, value: Any) -> None:
    """No template and no value make the transformer fail."""
    fill_template(template, {"a": value, "b": MISSING})


@given(value=JSON)
def test_a_variable_never_breaks_the_json_around_it(value: Any) -> None:
    """A bare variable keeps its value exactly; inside quotes the document stays JSON."""
    assert json.loads(fill_template('{"x": <a>}', {"a": value})) == {"x": value}
    inside = json.loads(fill_template('{"x": "<a>"}', {"a": value}))["x"]
    assert inside == value if isinstance(value, str) else isinstance(inside, str)
