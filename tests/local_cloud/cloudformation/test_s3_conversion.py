"""CloudFormation's spelling of bucket configurations to S3's."""

import pytest

from local_cloud.cloudformation.errors import HandlerFailure
from local_cloud.cloudformation.providers.s3_conversion import lifecycle_rules, notifications


def test_lifecycle_rules_keep_their_meaning() -> None:
    """Expiry, transitions of current and former versions, abandoned uploads, and every kind of filter."""
    rules = lifecycle_rules(
        {
            "Rules": [
                {"Id": "all", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
                {
                    "Id": "raw",
                    "Status": "Enabled",
                    "Prefix": "raw/",
                    "ExpirationInDays": 30,
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
                    "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 90}],
                    "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 5}],
                },
                {
                    "Status": "Disabled",
                    "Prefix": "a/",
                    "TagFilters": [{"Key": "k", "Value": "v"}],
                    "ExpirationInDays": 1,
                },
            ]
        }
    )

    assert rules == [
        {
            "ID": "all",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "raw",
            "Status": "Enabled",
            "Filter": {"Prefix": "raw/"},
            "Expiration": {"Days": 30},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
            "Transitions": [{"StorageClass": "STANDARD_IA", "Days": 90}],
            "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "NoncurrentDays": 5}],
        },
        {
            "ID": "rule-2",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
            "Expiration": {"Days": 1},
        },
    ]


def test_a_lifecycle_property_that_is_not_known_is_refused() -> None:
    """Nothing of a rule is dropped silently."""
    with pytest.raises(HandlerFailure, match=r"rule x.*Mystery"):
        lifecycle_rules({"Rules": [{"Id": "x", "Status": "Enabled", "Mystery": 1}]})


def test_notifications_name_their_destination_and_filter() -> None:
    """A queue with a suffix filter, and EventBridge."""
    queue = {
        "Event": "s3:ObjectCreated:*",
        "Queue": "arn:aws:sqs:us-east-1:123456789012:q",
        "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".csv"}]}},
    }

    assert notifications({"QueueConfigurations": [queue], "EventBridgeConfiguration": {}}) == {
        "QueueConfigurations": [
            {
                "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q",
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".csv"}]}},
            }
        ],
        "EventBridgeConfiguration": {},
    }


def test_eventbridge_can_be_switched_off() -> None:
    """`EventBridgeEnabled: false` means no events."""
    assert notifications({"EventBridgeConfiguration": {"EventBridgeEnabled": False}}) == {}
