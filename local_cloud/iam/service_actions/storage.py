"""DynamoDB, Glue and KMS: API operations to resources.

KMS evaluates key ARNs, never aliases: the caller replaces an alias in `KeyId` by the ARN of its key, and names the
key of a Decrypt call, which KMS reads from the ciphertext.

Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html,
.../list_awsglue.html and .../list_awskeymanagementservice.html
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from local_cloud.iam.api_call import ApiCall, Permission, permissions

_TRANSACTION_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "ConditionCheck": "ConditionCheckItem",
        "Delete": "DeleteItem",
        "Get": "GetItem",
        "Put": "PutItem",
        "Update": "UpdateItem",
    }
)

# operation -> (parameter that names the resource, resource type)
_GLUE_NAMED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CreateJob": ("Name", "job"),
        "DeleteCrawler": ("Name", "crawler"),
        "DeleteJob": ("JobName", "job"),
        "GetCrawler": ("Name", "crawler"),
        "GetJob": ("JobName", "job"),
        "GetJobRun": ("JobName", "job"),
        "GetJobRuns": ("JobName", "job"),
        "StartCrawler": ("Name", "crawler"),
        "StartJobRun": ("JobName", "job"),
        "StopCrawler": ("Name", "crawler"),
        "UpdateCrawler": ("Name", "crawler"),
        "UpdateJob": ("JobName", "job"),
    }
)
_GLUE_DATABASE = ("CreateDatabase", "DeleteDatabase", "GetDatabase", "GetDatabases", "UpdateDatabase")
_GLUE_TABLE_OPERATION = re.compile(
    r"(?:Create|Delete|Get|Update|Batch(?:Create|Delete|Get|Update))"
    r"(?:Tables?|TableVersions?|Partitions?|PartitionIndex(?:es)?|ColumnStatisticsFor(?:Table|Partition))"
)
_DYNAMODB_WITHOUT_RESOURCE = frozenset({"ListBackups", "ListContributorInsights"})
_ALIAS_OPERATIONS = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})


def dynamodb_required(call: ApiCall) -> tuple[Permission, ...]:
    """DynamoDB: tables, and the index instead of the table for a query on an index."""
    if call.operation in ("TransactGetItems", "TransactWriteItems"):
        return tuple(dict.fromkeys(_transaction(call)))
    action = f"dynamodb:{call.operation}"
    if call.structure("RequestItems"):
        return permissions(action, (_table(call, name) for name in call.structure("RequestItems")))
    table = call.text("TableName", "ResourceArn", "StreamArn", "TableArn", "BackupArn")
    if table is None or call.operation in _DYNAMODB_WITHOUT_RESOURCE:
        return permissions(action, ())
    index = call.text("IndexName")
    return permissions(action, (f"{_table(call, table)}/index/{index}" if index else _table(call, table),))


def glue_required(call: ApiCall) -> tuple[Permission, ...]:
    """Glue: a catalog object needs the permission on the catalog, its database and the object itself."""
    action = f"glue:{call.operation}"
    if call.operation in _GLUE_DATABASE:
        database = call.text("Name") or _name_of(call.structure("DatabaseInput")) or "*"
        return permissions(action, (_catalog(call), call.arn("glue", f"database/{database}")))
    if _GLUE_TABLE_OPERATION.fullmatch(call.operation):
        return permissions(action, _glue_table(call))
    if call.operation in _GLUE_NAMED:
        parameter, kind = _GLUE_NAMED[call.operation]
        name = call.text(parameter)
        return permissions(action, (call.arn("glue", f"{kind}/{name}"),) if name else ())
    return permissions(action, (arn,) if (arn := call.text("ResourceArn")) else ())


def kms_required(call: ApiCall) -> tuple[Permission, ...]:
    """KMS: keys; aliases only for the operations that manage them; ReEncrypt needs both of its keys."""
    if call.operation == "ReEncrypt":
        return (
            Permission("kms:ReEncryptFrom", _key(call, call.text("SourceKeyId"))),
            Permission("kms:ReEncryptTo", _key(call, call.text("DestinationKeyId"))),
        )
    action = f"kms:{call.operation}"
    if call.operation in _ALIAS_OPERATIONS:
        alias, key = call.text("AliasName"), call.text("TargetKeyId")
        named = ((call.arn("kms", alias),) if alias else ()) + ((_key(call, key),) if key else ())
        return permissions(action, named)
    return (Permission(action, "*" if call.operation == "ListAliases" else _key(call, call.text("KeyId"))),)


def _transaction(call: ApiCall) -> Iterator[Permission]:
    for item in call.structures("TransactItems"):
        for verb, request in item.items():
            if isinstance(request, Mapping):
                table = _table(call, str(request.get("TableName")))
                yield Permission(f"dynamodb:{_TRANSACTION_ACTIONS.get(verb, verb)}", table)


def _table(call: ApiCall, name: str) -> str:
    return name if name.startswith("arn:") else call.arn("dynamodb", f"table/{name}")


def _glue_table(call: ApiCall) -> tuple[str, ...]:
    database = call.text("DatabaseName") or "*"
    name = call.text("TableName", "Name") or _name_of(call.structure("TableInput")) or "*"
    return (_catalog(call), call.arn("glue", f"database/{database}"), call.arn("glue", f"table/{database}/{name}"))


def _catalog(call: ApiCall) -> str:
    return call.arn("glue", "catalog")


def _name_of(structure: Mapping[str, object]) -> str | None:
    name = structure.get("Name")
    return name if isinstance(name, str) else None


def _key(call: ApiCall, key_id: str | None) -> str:
    if key_id is None or key_id.startswith("arn:"):
        return key_id or "*"
    return call.arn("kms", key_id if key_id.startswith("alias/") else f"key/{key_id}")
