"""The four kinds of monitoring job definitions: Create, Describe, List, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDataQualityJobDefinition.html
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from local_cloud.clock import Clock
from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.monitoring.book import KINDS, JobDefinition, MonitoringBook, in_use
from local_cloud.sagemaker.monitoring.job import from_definition, job_of
from local_cloud.sagemaker.resources import arn
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext
from local_cloud.stores import Partitioned

_NOTE = (
    "An endpoint's captured data only (no BatchTransformInput), one instance; a baseline by the URIs of its files, not "
    "by BaseliningJobName."
)


class JobDefinitions:
    """The API of job definitions."""

    def __init__(self, books: Partitioned[MonitoringBook], *, clock: Clock, tags: Tags) -> None:
        self._books = books
        self._clock = clock
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations of all kinds by name."""
        return {name: operation for kind in KINDS for name, operation in self._of_kind(kind).items()}

    def _of_kind(self, kind: str) -> dict[str, Operation]:
        return {
            f"Create{kind}JobDefinition": Operation(partial(self._create, kind), note=_NOTE),
            f"Describe{kind}JobDefinition": Operation(partial(self._describe, kind)),
            f"List{kind}JobDefinitions": Operation(partial(self._list, kind)),
            f"Delete{kind}JobDefinition": Operation(partial(self._delete, kind)),
        }

    def _create(self, kind: str, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        job_of(kind, params)
        name, book = params["JobDefinitionName"], self._books.of(context)
        definition = JobDefinition(kind, name, arn(context, KINDS[kind], name), self._clock.now(), params)
        with book.lock:
            if (kind, name.lower()) in book.definitions:
                raise in_use(definition.arn)
            self._tags.put(definition.arn, params.get("Tags"))
            book.definitions[kind, name.lower()] = definition
        return {"JobDefinitionArn": definition.arn}

    def _describe(self, kind: str, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            definition = book.definition(kind, params["JobDefinitionName"])
        request = {name: value for name, value in definition.request.items() if name != "Tags"}
        return {"JobDefinitionArn": definition.arn, "CreationTime": definition.created, **request}

    def _list(self, kind: str, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = [definition for definition in book.definitions.values() if definition.kind == kind]
        by_name = params.get("SortBy") == "Name"
        ordered = sort(
            [definition for definition in known if _matches(definition, params)],
            key=lambda definition: definition.name if by_name else definition.created,
            order=params.get("SortOrder"),
            default="Descending",
        )
        found, more = page(ordered, params, identity=lambda definition: definition.arn)
        return {"JobDefinitionSummaries": [_summary(definition) for definition in found], **more}

    def _delete(self, kind: str, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            definition = book.definition(kind, params["JobDefinitionName"])
            del book.definitions[kind, definition.name.lower()]
        self._tags.drop(definition.arn)
        return {}


def _matches(definition: JobDefinition, params: Mapping[str, Any]) -> bool:
    endpoint = from_definition(definition).endpoint
    return (
        params.get("NameContains", "").lower() in definition.name.lower()
        and params.get("EndpointName", endpoint) == endpoint
        and within(definition.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
    )


def _summary(definition: JobDefinition) -> dict[str, Any]:
    return {
        "MonitoringJobDefinitionName": definition.name,
        "MonitoringJobDefinitionArn": definition.arn,
        "CreationTime": definition.created,
        "EndpointName": from_definition(definition).endpoint,
    }
