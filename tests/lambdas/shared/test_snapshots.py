"""Which snapshot of a dataset is the newest."""

import json

import boto3
from moto import mock_aws

from lambdas.shared.s3 import Bucket
from lambdas.shared.snapshots import Snapshots


@mock_aws
def test_of_two_snapshots_of_the_same_second_the_newest_has_more_rows() -> None:
    """S3 lists full seconds: two uploads at once must not end with a training on the first of them alone."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="lake")
    for version, rows in (("b", 60), ("a", 120)):
        manifest = json.dumps({"data_version": version, "rows": rows})
        s3.put_object(Bucket="lake", Key=f"snapshots/cars/{version}/manifest.json", Body=manifest)

    newest = Snapshots(Bucket(s3, "lake"), "cars").newest()

    assert newest is not None
    assert (newest.data_version, newest.rows) == ("a", 120)
