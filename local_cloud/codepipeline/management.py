"""Pipelines themselves: create, read, update, delete, list, their tags and their transitions.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html
"""

from collections.abc import Mapping
from typing import Any

from local_cloud.clock import Clock
from local_cloud.codepipeline.book import ClosedTransition, Pipeline, PipelineBook
from local_cloud.codepipeline.declaration import PipelineDeclaration, parse_declaration
from local_cloud.codepipeline.executions import Executions, caller_arn
from local_cloud.codepipeline.paging import page
from local_cloud.codepipeline.validation import Providers, check_declaration
from local_cloud.service import Operation, RequestContext, ServiceError
from local_cloud.stores import Partitioned

_MAXIMUM_TAGS = 50
_REFUSALS = (
    "other action types, stage conditions, automatic rollback, Git triggers, actions in other regions and polled "
    "sources are refused"
)


class Pipelines:
    """The operations on pipelines."""

    def __init__(
        self, books: Partitioned[PipelineBook], *, executions: Executions, clock: Clock, providers: Providers
    ) -> None:
        self._books = books
        self._executions = executions
        self._clock = clock
        self._providers = providers

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreatePipeline": Operation(self._create, note=f"as on AWS it starts an execution; {_REFUSALS}"),
            "GetPipeline": Operation(self._get),
            "UpdatePipeline": Operation(self._update, note=_REFUSALS),
            "DeletePipeline": Operation(self._delete),
            "ListPipelines": Operation(self._list),
            "DisableStageTransition": Operation(self._disable),
            "EnableStageTransition": Operation(self._enable),
            "ListTagsForResource": Operation(self._list_tags),
            "TagResource": Operation(self._tag),
            "UntagResource": Operation(self._untag),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        declaration = self._checked(context, params["pipeline"], version=1)
        tags = _tags(params.get("tags", []))
        book, now = self._books.of(context), self._clock.now()
        with book.lock:
            if declaration.name in book.pipelines:
                text = f"A pipeline with the name '{declaration.name}' already exists in account '{context.account}'"
                raise ServiceError("PipelineNameInUseException", text)
            home = RequestContext(context.account, context.region)
            pipeline = Pipeline(home, [declaration], created=now, updated=now, tags=tags)
            book.pipelines[declaration.name] = pipeline
        self._executions.start_new(pipeline, caller=caller_arn(context))
        return {"pipeline": declaration.document, "tags": params.get("tags", [])}

    def _get(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._pipeline(context, params["name"])
        version = params.get("version", len(pipeline.versions))
        if version > len(pipeline.versions):
            text = f"Pipeline '{pipeline.name}' has no version {version}"
            raise ServiceError("PipelineVersionNotFoundException", text)
        metadata = {"pipelineArn": pipeline.arn, "created": pipeline.created, "updated": pipeline.updated}
        return {"pipeline": pipeline.versions[version - 1].document, "metadata": metadata}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._pipeline(context, params["pipeline"]["name"])
        with pipeline.changed:
            declaration = self._checked(context, params["pipeline"], version=len(pipeline.versions) + 1)
            pipeline.versions.append(declaration)
            pipeline.updated = self._clock.now()
        return {"pipeline": declaration.document}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            pipeline = book.pipelines.pop(params["name"], None)
        if pipeline is not None:
            self._executions.forget([pipeline])
        return {}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipelines = sorted(self._books.of(context).pipelines.values(), key=lambda pipeline: pipeline.name)
        found, more = page(pipelines, params, identity=lambda pipeline: pipeline.name)
        return {"pipelines": [_summary(pipeline) for pipeline in found], **more}

    def _disable(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._pipeline(context, params["pipelineName"])
        pipeline.require_stage(params["stageName"])
        transition = ClosedTransition(params["reason"], caller_arn(context), self._clock.now())
        with pipeline.changed:
            pipeline.closed[params["stageName"], params["transitionType"]] = transition
        return {}

    def _enable(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._pipeline(context, params["pipelineName"])
        pipeline.require_stage(params["stageName"])
        with pipeline.changed:
            pipeline.closed.pop((params["stageName"], params["transitionType"]), None)
            pipeline.changed.notify_all()
        return {}

    def _list_tags(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        tags = [{"key": key, "value": value} for key, value in sorted(self._tagged(context, params).tags.items())]
        found, more = page(tags, params, identity=lambda tag: tag["key"])
        return {"tags": found, **more}

    def _tag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._tagged(context, params)
        with pipeline.changed:
            pipeline.tags = _tags(params["tags"], existing=pipeline.tags)
        return {}

    def _untag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        pipeline = self._tagged(context, params)
        with pipeline.changed:
            pipeline.tags = {key: value for key, value in pipeline.tags.items() if key not in params["tagKeys"]}
        return {}

    def _pipeline(self, context: RequestContext, name: str) -> Pipeline:
        return self._books.of(context).pipeline(context, name)

    def _tagged(self, context: RequestContext, params: Mapping[str, Any]) -> Pipeline:
        for pipeline in list(self._books.of(context).pipelines.values()):
            if pipeline.arn == params["resourceArn"]:
                return pipeline
        raise ServiceError("ResourceNotFoundException", f"There is no pipeline {params['resourceArn']}")

    def _checked(self, context: RequestContext, given: Mapping[str, Any], *, version: int) -> PipelineDeclaration:
        declaration = parse_declaration(given, version=version)
        check_declaration(declaration, region=context.region, providers=self._providers)
        return declaration


def _summary(pipeline: Pipeline) -> dict[str, Any]:
    current = pipeline.current
    return {
        "name": pipeline.name,
        "version": current.version,
        "pipelineType": current.type,
        "executionMode": current.mode.value,
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _tags(given: list[dict[str, str]], *, existing: Mapping[str, str] | None = None) -> dict[str, str]:
    tags = dict(existing or {}) | {tag["key"]: tag["value"] for tag in given}
    if len(tags) > _MAXIMUM_TAGS:
        raise ServiceError("TooManyTagsException", f"A pipeline has {_MAXIMUM_TAGS} tags at most")
    return tags
