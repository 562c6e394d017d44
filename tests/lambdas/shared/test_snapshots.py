"""Which snapshot of a dataset is the current one."""

import json

import boto3
from moto import mock_aws

from lambdas.shared.s3 import Bucket
from lambdas.shared.snapshots import Snapshots


def test_the_current_snapshot_is_the_one_that_the_pointer_names() -> None:
    """An older and smaller one, too: data that was corrected has returned to it. Before the first there is none."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="lake")
        snapshots = Snapshots(Bucket(s3, "lake"), "cars")
        assert snapshots.current() is None
        for version, rows in (("a", 60), ("b", 120)):
            s3.put_object(Bucket="lake", Key=f"snapshots/cars/{version}/manifest.json", Body=json.dumps({"rows": rows}))
        s3.put_object(Bucket="lake", Key="snapshots/cars/current.json", Body='{"data_version": "a", "revision": 3}')

        current = snapshots.current()

    assert current is not None
    assert (current.data_version, current.rows) == ("a", 60)
    assert current.files_manifest == "s3://lake/snapshots/cars/a/files.manifest"
