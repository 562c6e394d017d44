"""The Glue table columns of a dataset, from its data contract.

Must not know CDK: the stack turns these tuples into its own properties.
https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from data_contracts.contract import Column, DataContract

# An integer of a contract has at most 18 digits, which is what bigint holds.
_GLUE_TYPES = {"string": "string", "integer": "bigint", "number": "double"}
# OpenCSVSerDe hands every field over as text, and Athena fails on an empty one unless the column is a string.
_OPTIONAL_GLUE_TYPE = "string"
# Longest comment that Glue accepts for a column, in characters.
_MAX_COMMENT = 255


def glue_columns(contract: DataContract) -> tuple[tuple[str, str, str], ...]:
    """`(name, Glue type, comment)` of each column, in file order: a Glue CSV table is read by position."""
    return tuple((column.name, _glue_type(column), column.description[:_MAX_COMMENT]) for column in contract.columns)


def _glue_type(column: Column) -> str:
    return _GLUE_TYPES[column.type] if column.required else _OPTIONAL_GLUE_TYPE
