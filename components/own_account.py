"""Who may assume a role: a service of AWS, as long as it acts for this account.

Must not stand in the policy of a key or a topic: there EventBridge sends no source account and would be shut out.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def for_this_account(service: str) -> iam.ServicePrincipal:
    """`service`, such as `states`, acting for this account and for no other one (the confused deputy problem)."""
    return iam.ServicePrincipal(
        f"{service}.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    )
