"""Whether the alarms of an AutoRollbackConfiguration exist and may be read: checked before anything is shifted.

SageMaker reads them with the rights of the model's role. An alarm that it cannot read would never roll back.
"""

from collections.abc import Sequence

from botocore.exceptions import ClientError

from local_cloud.endpoints.launch import RoleClients
from local_cloud.sagemaker.jobs.failures import message
from local_cloud.service import invalid


def check_alarms(names: Sequence[str], *, role: RoleClients) -> None:
    """Raise ValidationException for alarms that do not exist, or if the role may not describe them."""
    if not names:
        return
    try:
        answer = role.of("cloudwatch").describe_alarms(
            AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    except ClientError as error:
        raise invalid(
            f"Could not read the alarms of AutoRollbackConfiguration. Please ensure that the role {role.role_arn} has "
            f"the permission cloudwatch:DescribeAlarms: {message(error)}"
        ) from error
    known = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, ())}
    if missing := sorted(set(names) - known):
        raise invalid(f"Could not find the alarms {', '.join(missing)} of AutoRollbackConfiguration.")
