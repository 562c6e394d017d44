"""Unit of deployment: the data lake, its catalog and query workgroup, and the function that admits uploads.

Must not know pipelines or models: what follows from a new snapshot hears of it through EventBridge.
"""

import json
from collections.abc import Iterable, Iterator

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from components.data_catalog import DataCatalog
from components.encryption_key import EncryptionKey
from components.event_function import EventFunction, FunctionCode
from components.event_rule import EventKind, FunctionRule
from components.notifications import PUBLISHERS, FailureNotice, FailureTopic, alarm_on_dead_letters
from components.private_bucket import AccessLogBucket, PrivateBucket
from components.query_workgroup import QueryWorkgroup
from config.settings import AthenaSettings, DataLakeSettings
from data_contracts.catalog import glue_columns
from stacks.stage import Stage
from stacks.stage_stack import StageStack

RAW, CURATED, SNAPSHOTS, QUARANTINE = "raw/", "curated/", "snapshots/", "quarantine/"
QUERY_RESULTS = "athena-results/"
INGEST_SOURCE = "cd4ml.ingest"


class DataLakeStack(StageStack):
    """Lake and artifact buckets under one key; `lake_bucket`, `artifact_bucket`, `key` and `topic` are public."""

    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        super().__init__(scope, "DataLake", stage=stage, description="data lake, catalog and ingestion")
        self.key = EncryptionKey(
            self,
            "Encryption",
            alias=f"cd4ml-{stage.name}",
            description=f"CD4ML {stage.name}: data, models and notifications",
            publishers=PUBLISHERS,
        ).key
        self.topic = FailureTopic(
            self, "Failures", encryption_key=self.key, email=stage.settings.notifications.email
        ).topic
        self.lake_bucket, self.artifact_bucket = self._buckets()
        self._route_uploads(self._ingest_function())
        self._report_quarantined_files()
        self._outputs(database=self._catalog(), workgroup=self._query_workgroup())

    def _buckets(self) -> tuple[s3.Bucket, s3.Bucket]:
        access_logs = AccessLogBucket(
            self, "AccessLogs", keep_days=self._stage.settings.data_lake.access_log_days
        ).bucket
        lake = PrivateBucket(
            self,
            "Lake",
            encryption_key=self.key,
            access_log_bucket=access_logs,
            access_log_prefix="lake/",
            lifecycle_rules=_lake_rules(self._stage.settings.data_lake),
        )
        artifacts = PrivateBucket(
            self,
            "Artifacts",
            encryption_key=self.key,
            access_log_bucket=access_logs,
            access_log_prefix="artifacts/",
            lifecycle_rules=_artifact_rules(self._stage.settings.athena),
        )
        return lake.bucket, artifacts.bucket

    def _catalog(self) -> str:
        catalog = DataCatalog(
            self,
            "Catalog",
            database_name=f"cd4ml_{self._stage.name}",
            description=f"CD4ML {self._stage.name}: admitted files of each dataset",
        )
        for project in self._stage.projects:
            contract = project.contract
            catalog.add_csv_table(
                name=contract.dataset,
                description=contract.description,
                location=self.lake_bucket.s3_url_for_object(f"{CURATED}{contract.dataset}/"),
                delimiter=contract.delimiter,
                columns=glue_columns(contract),
            )
        return catalog.database_name

    def _query_workgroup(self) -> str:
        return QueryWorkgroup(
            self,
            "Queries",
            name=f"cd4ml-{self._stage.name}",
            description=f"CD4ML {self._stage.name}: bounded, encrypted queries over the lake",
            result_bucket=self.artifact_bucket,
            result_prefix=QUERY_RESULTS,
            encryption_key=self.key,
            scan_limit_bytes=self._stage.settings.athena.scan_limit_bytes,
        ).name

    def _contract_assets(self) -> dict[str, s3_assets.Asset]:
        return {
            project.contract.dataset: s3_assets.Asset(self, f"{project.name}Contract", path=str(project.contract_file))
            for project in self._stage.projects
        }

    def _ingest_function(self) -> EventFunction:
        contracts = self._contract_assets()
        ingest = EventFunction(
            self,
            "IngestUpload",
            description="Checks each upload against its data contract and publishes snapshots of the dataset",
            code=FunctionCode(
                source_root=self._stage.source_root,
                paths=["lambdas/__init__.py", "lambdas/shared", "lambdas/ingest_upload", "data_contracts"],
                handler="lambdas.ingest_upload.handler.handle",
            ),
            environment={
                "LAKE_BUCKET": self.lake_bucket.bucket_name,
                "EVENT_BUS": "default",
                "DATA_CONTRACTS": json.dumps({name: asset.s3_object_url for name, asset in contracts.items()}),
            },
            function_logs=self._stage.function_logs,
            timeout_seconds=300,
            memory_mb=512,
        )
        ingest.allow(self._ingest_permissions(contracts.values()))
        return ingest

    def _ingest_permissions(self, contracts: Iterable[s3_assets.Asset]) -> Iterator[iam.PolicyStatement]:
        lake = self.lake_bucket

        def objects(*prefixes: str) -> list[str]:
            return [lake.arn_for_objects(f"{prefix}*") for prefix in prefixes]

        yield iam.PolicyStatement(
            actions=[
                "s3:GetObject",
                "s3:GetObjectVersion",
                # A server-side copy takes the tags along.
                "s3:GetObjectTagging",
                "s3:GetObjectVersionTagging",
                # Sets a delete marker. Removing a version for good would be s3:DeleteObjectVersion.
                "s3:DeleteObject",
            ],
            resources=objects(RAW),
        )
        yield iam.PolicyStatement(
            actions=["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"], resources=objects(CURATED, QUARANTINE)
        )
        yield iam.PolicyStatement(actions=["s3:GetObject", "s3:PutObject"], resources=objects(SNAPSHOTS))
        # Without the right to list, S3 answers a missing object with 403 instead of 404.
        yield iam.PolicyStatement(actions=["s3:ListBucket"], resources=[lake.bucket_arn])
        yield iam.PolicyStatement(
            actions=["s3:GetObject"],
            resources=[asset.bucket.arn_for_objects(asset.s3_object_key) for asset in contracts],
        )
        yield iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self.key.key_arn])
        yield iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[self.format_arn(service="events", resource="event-bus", resource_name="default")],
            conditions={"StringEquals": {"events:source": INGEST_SOURCE}},
        )

    def _route_uploads(self, ingest: EventFunction) -> None:
        FunctionRule(
            self,
            "UploadArrived",
            description="A new object under raw/ goes to ingestion",
            event=EventKind(
                source="aws.s3",
                detail_type="Object Created",
                detail={"bucket": {"name": [self.lake_bucket.bucket_name]}, "object": {"key": [{"prefix": RAW}]}},
            ),
            target=ingest,
        )
        alarm_on_dead_letters(
            self,
            "Uploads",
            work="An upload",
            functions={"Ingested": ingest},
            topic=self.topic,
        )

    def _report_quarantined_files(self) -> None:
        FailureNotice(
            self,
            "FileQuarantined",
            description="A file that breaks its data contract is reported",
            event=EventKind(
                source=INGEST_SOURCE,
                detail_type="File Quarantined",
                detail={"bucket": [self.lake_bucket.bucket_name]},
            ),
            fields={
                "dataset": "$.detail.dataset",
                "key": "$.detail.key",
                "version": "$.detail.versionId",
                "report": "$.detail.report",
            },
            lines=[
                "An upload to dataset <dataset> breaks its data contract and was put into quarantine.",
                "File: <key> (version <version>)",
                "Every finding, by row and column: <report>",
                "What to do: correct the file and upload it again; the lake is unchanged.",
            ],
            topic=self.topic,
        )

    def _outputs(self, *, database: str, workgroup: str) -> None:
        self.add_outputs(
            {
                "LakeBucketName": (self.lake_bucket.bucket_name, "Upload data files below raw/<dataset>/ here"),
                "ArtifactBucketName": (self.artifact_bucket.bucket_name, "Pipeline outputs, models and query results"),
                "DatabaseName": (database, "Glue database over the admitted files"),
                "WorkgroupName": (workgroup, "Athena workgroup for queries over the database"),
                "FailureTopicArn": (self.topic.topic_arn, "Subscribe here to hear of failures"),
            }
        )


def _lake_rules(keep: DataLakeSettings) -> list[s3.LifecycleRule]:
    """Curated files and snapshots are what a model is reproduced from: no rule removes them."""
    noncurrent = Duration.days(keep.noncurrent_version_days)
    archive = s3.Transition(
        storage_class=s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(keep.infrequent_access_days)
    )
    return [
        s3.LifecycleRule(id="raw", prefix=RAW, transitions=[archive], noncurrent_version_expiration=noncurrent),
        s3.LifecycleRule(
            id="quarantine",
            prefix=QUARANTINE,
            expiration=Duration.days(keep.quarantine_days),
            noncurrent_version_expiration=noncurrent,
        ),
    ]


def _artifact_rules(keep: AthenaSettings) -> list[s3.LifecycleRule]:
    """Models and evidence stay; the result of a query can be had again."""
    return [
        s3.LifecycleRule(
            id="query-results",
            prefix=QUERY_RESULTS,
            expiration=Duration.days(keep.result_days),
            noncurrent_version_expiration=Duration.days(1),
        )
    ]
