"""Lambda functions on moto keep what moto would drop."""

from tests.local_cloud.moto.roles import new_role
from tests.running_cloud import ACCOUNT, REGION, RunningCloud


def test_a_function_keeps_the_settings_that_moto_drops(cloud: RunningCloud) -> None:
    """DeadLetterConfig and LoggingConfig survive creation and update, because failures and logs go there."""
    role = new_role(cloud, "fn", principal={"Service": "lambda.amazonaws.com"})
    functions = cloud.client("lambda")
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
    functions.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=role,
        Handler="a.b",
        Code={"ZipFile": _empty_zip()},
        DeadLetterConfig={"TargetArn": queue_arn},
    )
    functions.update_function_configuration(FunctionName="f", LoggingConfig={"LogGroup": "/own/group"})

    configuration = functions.get_function_configuration(FunctionName="f")

    assert configuration["DeadLetterConfig"] == {"TargetArn": queue_arn}
    assert configuration["LoggingConfig"] == {"LogGroup": "/own/group"}


def _empty_zip() -> bytes:
    return b"PK\x05\x06" + b"\x00" * 18
