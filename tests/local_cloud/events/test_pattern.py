"""Event patterns: every operator that EventBridge documents."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.events.pattern import PatternError, check_pattern, matches
from tests.local_cloud.events.documents import JSON

EVENT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "resources": ["arn:aws:s3:::lake"],
    "detail": {
        "bucket": {"name": "lake"},
        "object": {"key": "raw/cars/2017.csv", "size": 1024, "etag": None},
        "flag": True,
        "count": 1,
        "price": 1.0,
        "ip": "10.1.2.3",
        "steps": [{"name": "Train", "status": "Failed"}, {"name": "Export", "status": "Succeeded"}],
        "none": [],
    },
}


def detail(**fields: Any) -> dict[str, Any]:
    """A pattern about the detail."""
    return {"detail": fields}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3", "aws.ec2"], "detail-type": ["Object Created"]},
        {"resources": ["arn:aws:s3:::lake"]},
        detail(object={"key": [{"prefix": "raw/"}]}),
        detail(object={"key": [{"prefix": {"equals-ignore-case": "RAW/"}}]}),
        detail(object={"key": [{"suffix": ".csv"}]}),
        detail(object={"key": [{"suffix": {"equals-ignore-case": ".CSV"}}]}),
        detail(object={"key": [{"wildcard": "raw/*/20*.csv"}]}),
        detail(object={"key": [{"equals-ignore-case": "RAW/cars/2017.CSV"}]}),
        detail(object={"key": [{"anything-but": "other"}]}),
        detail(object={"key": [{"anything-but": ["other", "another"]}]}),
        detail(object={"key": [{"anything-but": {"prefix": "curated/"}}]}),
        detail(object={"key": [{"anything-but": {"suffix": [".parquet", ".json"]}}]}),
        detail(object={"key": [{"anything-but": {"wildcard": "*/tmp/*"}}]}),
        detail(object={"key": [{"anything-but": {"equals-ignore-case": ["A", "B"]}}]}),
        detail(object={"size": [{"numeric": [">", 0, "<=", 1024]}]}),
        detail(object={"size": [{"numeric": ["=", 1024]}]}),
        detail(object={"etag": [None]}),
        detail(object={"version-id": [{"exists": False}]}),
        detail(object={"size": [{"exists": True}]}),
        detail(flag=[True], count=[1], price=[1.0]),
        detail(ip=[{"cidr": "10.0.0.9/8"}]),
        detail(steps={"name": ["Train"], "status": ["Failed"]}),
        detail(steps={"name": ["Export"], "status": ["Succeeded"]}),
        detail(none=[{"exists": False}]),
        {"$or": [{"source": ["aws.ec2"]}, {"detail": {"object": {"size": [1024]}}}]},
    ],
)
def test_patterns_that_match(pattern: dict[str, Any]) -> None:
    """Each operator finds what it describes."""
    check_pattern(pattern)
    assert matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"]},
        {"missing": ["x"]},
        detail(object={"key": [{"prefix": "curated/"}]}),
        detail(object={"key": [{"wildcard": "raw/*.json"}]}),
        detail(object={"key": [{"anything-but": {"prefix": "raw/"}}]}),
        detail(object={"missing": [{"anything-but": "x"}]}),
        detail(object={"size": [{"numeric": [">", 1024]}]}),
        detail(object={"key": [{"numeric": [">", 0]}]}),
        detail(flag=[{"numeric": ["=", 1]}]),
        detail(flag=[1]),
        detail(count=[True]),
        detail(count=[1.0]),
        detail(count=["1"]),
        detail(object={"etag": [{"exists": False}]}),
        detail(object=[{"exists": True}]),
        detail(ip=[{"cidr": "10.2.0.0/16"}]),
        detail(steps={"name": ["Train"], "status": ["Succeeded"]}),
        {"$or": [{"source": ["aws.ec2"]}, {"source": ["aws.sqs"]}]},
    ],
)
def test_patterns_that_do_not_match(pattern: dict[str, Any]) -> None:
    """Types are kept apart, and fields of different objects in an array do not add up."""
    check_pattern(pattern)
    assert not matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        [],
        {"source": "aws.s3"},
        {"source": []},
        {"source": [{"unknown": 1}]},
        {"source": [{"prefix": 1}]},
        {"source": [{"prefix": "a", "suffix": "b"}]},
        {"source": [["nested"]]},
        {"source": [{"exists": "yes"}]},
        {"source": [{"numeric": ["~", 1]}]},
        {"source": [{"numeric": [">"]}]},
        {"source": [{"cidr": "somewhere"}]},
        {"source": [{"anything-but": [True]}]},
    ],
)
def test_patterns_without_meaning_are_refused(pattern: Any) -> None:
    """What EventBridge refuses at PutRule is refused, not ignored."""
    with pytest.raises(PatternError):
        check_pattern(pattern)


@given(event=st.dictionaries(st.text(max_size=3), JSON, max_size=4), text=st.text(max_size=4))
def test_any_event_can_be_asked_about(event: dict[str, Any], text: str) -> None:
    """No event makes an operator fail, and a field cannot both exist and not exist."""
    for operator in ({"prefix": text}, {"wildcard": f"*{text.replace(chr(92), '')}*"}, {"anything-but": text}):
        matches({text: [operator]}, event)
    exists = matches({text: [{"exists": True}]}, event)
    assert matches({text: [{"exists": False}]}, event) is not exists
