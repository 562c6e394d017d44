"""Pipelines themselves: Create, Update, Delete, Describe, List.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.api_model import ApiModel
from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.pipelines.book import Pipeline, PipelineBook, PipelineVersion, conflict
from local_cloud.sagemaker.pipelines.definition import parse_definition
from local_cloud.sagemaker.refusals import refuse, refuse_value
from local_cloud.sagemaker.resources import arn, user_context
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

_SORT_KEYS = {"Name": lambda pipeline: pipeline.name, "CreationTime": lambda pipeline: pipeline.created}


class Pipelines:
    """The API of pipelines."""

    def __init__(
        self, books: Partitioned[PipelineBook], *, clients: Clients, clock: Clock, model: ApiModel, tags: Tags
    ) -> None:
        self._books = books
        self._clients = clients
        self._clock = clock
        self._model = model
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        steps = "Step types other than Processing, Training, Condition, Fail and RegisterModel are refused by name."
        return {
            "CreatePipeline": Operation(self._create, note=steps),
            "UpdatePipeline": Operation(self._update, note=steps),
            "DeletePipeline": Operation(self._delete),
            "DescribePipeline": Operation(self._describe),
            "ListPipelines": Operation(self._list),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("PipelineVersionAliases",))
        name, book, now = params["PipelineName"], self._books.of(context), self._clock.now()
        text = self._definition_text(context, params)
        if text is None:
            raise invalid("Either PipelineDefinition or PipelineDefinitionS3Location is required.")
        version = PipelineVersion(parse_definition(text, self._model), text)
        pipeline = Pipeline(
            name=name,
            arn=arn(context, "pipeline", name),
            role_arn=params["RoleArn"],
            created=now,
            modified=now,
            created_by=user_context(context),
            modified_by=user_context(context),
            versions=(version,),
            display_name=params.get("PipelineDisplayName", name),
            description=params.get("PipelineDescription"),
            parallelism=params.get("ParallelismConfiguration"),
        )
        with book.lock:
            if name.lower() in book.pipelines:
                raise invalid(
                    f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) "
                    "already exists."
                )
            self._tags.put(pipeline.arn, params.get("Tags"))
            book.pipelines[name.lower()] = pipeline
        return {"PipelineArn": pipeline.arn}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("PipelineVersionAliases",))
        book = self._books.of(context)
        text = self._definition_text(context, params)
        new = () if text is None else (PipelineVersion(parse_definition(text, self._model), text),)
        with book.lock:
            pipeline = book.pipeline(context, params["PipelineName"])
            versions = pipeline.versions if text == pipeline.versions[-1].text else (*pipeline.versions, *new)
            updated = replace(
                pipeline,
                versions=versions,
                modified=self._clock.now(),
                modified_by=user_context(context),
                role_arn=params.get("RoleArn", pipeline.role_arn),
                display_name=params.get("PipelineDisplayName", pipeline.display_name),
                description=params.get("PipelineDescription", pipeline.description),
                parallelism=params.get("ParallelismConfiguration", pipeline.parallelism),
            )
            book.pipelines[pipeline.name.lower()] = updated
        return {"PipelineArn": pipeline.arn, "PipelineVersionId": len(versions)}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            pipeline = book.pipeline(context, params["PipelineName"])
            executions = book.executions_of(pipeline)
            running = [execution.arn for execution in executions if execution.state.ended is None]
            if running:
                raise conflict(
                    f"Pipeline '{pipeline.arn}' has running executions; stop them first: {', '.join(running)}"
                )
            for execution in executions:
                del book.executions[execution.arn]
            del book.pipelines[pipeline.name.lower()]
            self._tags.drop(pipeline.arn)
        return {"PipelineArn": pipeline.arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("PipelineVersionAlias",))
        book = self._books.of(context)
        pipeline = book.pipeline(context, params["PipelineName"])
        return pipeline.describe(number=params.get("PipelineVersionId"), last_run=book.last_run(pipeline))

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse_value(params, "ManagedBy", "AWS", instead="CUSTOMER")
        book = self._books.of(context)
        prefix = params.get("PipelineNamePrefix", "").lower()
        wanted = [
            pipeline
            for key, pipeline in list(book.pipelines.items())
            if key.startswith(prefix)
            and within(pipeline.created, after=params.get("CreatedAfter"), before=params.get("CreatedBefore"))
        ]
        ordered = sort(
            wanted,
            key=_SORT_KEYS[params.get("SortBy", "CreationTime")],
            order=params.get("SortOrder"),
            default="Descending",
        )
        found, more = page(ordered, params, identity=lambda pipeline: pipeline.arn)
        return {"PipelineSummaries": [item.summary(last_run=book.last_run(item)) for item in found], **more}

    def _definition_text(self, context: RequestContext, params: Mapping[str, Any]) -> str | None:
        """The definition that a request brings: as text, or from S3 with the rights of AWS itself."""
        if "PipelineDefinition" in params and "PipelineDefinitionS3Location" in params:
            raise invalid("Give either PipelineDefinition or PipelineDefinitionS3Location, not both.")
        location = params.get("PipelineDefinitionS3Location")
        if location is None:
            return params.get("PipelineDefinition")
        wanted = {"Bucket": location["Bucket"], "Key": location["ObjectKey"]}
        if "VersionId" in location:
            wanted["VersionId"] = location["VersionId"]
        s3 = self._clients.system("s3", account=context.account, region=context.region)
        try:
            text: str = s3.get_object(**wanted)["Body"].read().decode()
        except ClientError as error:
            raise invalid(
                f"Cannot read the pipeline definition s3://{wanted['Bucket']}/{wanted['Key']}: {error}"
            ) from error
        return text
