"""An Athena workgroup that decides for its users where results go, how they are encrypted and what a query may scan.

Must not leave any of these to the client: the configuration is enforced.
https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
"""

from aws_cdk import aws_athena as athena
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class QueryWorkgroup(Construct):
    """Workgroup `name`, results encrypted under `result_prefix` of `result_bucket`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        result_bucket: s3.IBucket,
        result_prefix: str,
        encryption_key: kms.IKey,
        scan_limit_bytes: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=name,
            description=description,
            state="ENABLED",
            # A workgroup holds history, no data: destroying the stack may take it along.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=scan_limit_bytes,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=result_bucket.s3_url_for_object(result_prefix),
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=encryption_key.key_arn
                    ),
                ),
            ),
        )
