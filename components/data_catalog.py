"""The Glue Data Catalog of the lake: one database, one external table per dataset.

Must not know where columns come from: the caller passes name, Glue type and comment of each.
https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
"""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_glue as glue
from constructs import Construct


class DataCatalog(Construct):
    """A database whose tables lie over folders of CSV files with a header line."""

    def __init__(self, scope: Construct, construct_id: str, *, database_name: str, description: str) -> None:
        super().__init__(scope, construct_id)
        self.database_name = database_name
        self._database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(name=database_name, description=description),
        )

    def add_csv_table(
        self,
        *,
        name: str,
        description: str,
        location: str,
        delimiter: str,
        columns: Sequence[tuple[str, str, str]],
    ) -> None:
        """Table `name` over the CSV files below the S3 URI `location`; `columns` are (name, Glue type, comment)."""
        table = glue.CfnTable(
            self,
            f"{name}Table",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "csv", "skip.header.line.count": "1"},
                storage_descriptor=_csv_storage(location=location, delimiter=delimiter, columns=columns),
            ),
        )
        # The table refers to the database by plain name, from which CloudFormation cannot tell the order.
        table.add_resource_dependency(self._database)


def _csv_storage(
    *, location: str, delimiter: str, columns: Sequence[tuple[str, str, str]]
) -> glue.CfnTable.StorageDescriptorProperty:
    return glue.CfnTable.StorageDescriptorProperty(
        columns=[
            glue.CfnTable.ColumnProperty(name=name, type=type_, comment=comment) for name, type_, comment in columns
        ],
        location=location,
        input_format="org.apache.hadoop.mapred.TextInputFormat",
        output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        serde_info=glue.CfnTable.SerdeInfoProperty(
            serialization_library="org.apache.hadoop.hive.serde2.OpenCSVSerde",
            parameters={"separatorChar": delimiter, "quoteChar": '"'},
        ),
    )
