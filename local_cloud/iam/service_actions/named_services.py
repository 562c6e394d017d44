"""The tables of the services whose resource one parameter tells.

A query of Athena by its id, and a change set by its ARN, do not tell their workgroup or stack: the caller adds
`WorkGroup` or `StackName` to the parameters, because it knows the query and the change set.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Mapping
from types import MappingProxyType

from local_cloud.iam.service_actions.named import NO_RESOURCE, NamedService, Templates

_SCALABLE_TARGET: Templates = (("ResourceARN", "{}"), ("", "scalable-target/*"))
_STAGE: Templates = (("pipelineName", "{}/{stageName}"),)
_PIPELINE_DEFINITION: Templates = (("pipeline.name", "{}"),)
_SCHEDULE_GROUP: Templates = (("Name", "schedule-group/{}"),)
_CAPACITY_RESERVATION: Templates = (
    ("Name", "capacity-reservation/{}"),
    ("CapacityReservationName", "capacity-reservation/{}"),
)
_DATA_CATALOG: Templates = (("CatalogName", "datacatalog/{}"), ("Name", "datacatalog/{}"))

_APPLICATION_AUTOSCALING = NamedService(
    prefix="application-autoscaling",
    parameters=_SCALABLE_TARGET,
    operations={
        "DescribeScalableTargets": NO_RESOURCE,
        "DescribeScalingActivities": NO_RESOURCE,
        "DescribeScalingPolicies": NO_RESOURCE,
        "DescribeScheduledActions": NO_RESOURCE,
        "GetPredictiveScalingForecast": NO_RESOURCE,
    },
)

_ATHENA = NamedService(
    prefix="athena",
    parameters=(("ResourceARN", "{}"), ("WorkGroup", "workgroup/{}")),
    operations={
        "CancelCapacityReservation": _CAPACITY_RESERVATION,
        "CreateCapacityReservation": _CAPACITY_RESERVATION,
        "CreateDataCatalog": _DATA_CATALOG,
        "CreateWorkGroup": (("Name", "workgroup/{}"),),
        "DeleteCapacityReservation": _CAPACITY_RESERVATION,
        "DeleteDataCatalog": _DATA_CATALOG,
        "GetCapacityAssignmentConfiguration": _CAPACITY_RESERVATION,
        "GetCapacityReservation": _CAPACITY_RESERVATION,
        "GetDataCatalog": _DATA_CATALOG,
        "GetDatabase": _DATA_CATALOG,
        "GetTableMetadata": _DATA_CATALOG,
        "ListApplicationDPUSizes": NO_RESOURCE,
        "ListCapacityReservations": NO_RESOURCE,
        "ListDataCatalogs": NO_RESOURCE,
        "ListDatabases": _DATA_CATALOG,
        "ListEngineVersions": NO_RESOURCE,
        "ListExecutors": NO_RESOURCE,
        "ListTableMetadata": _DATA_CATALOG,
        "ListWorkGroups": NO_RESOURCE,
        "UpdateCapacityReservation": _CAPACITY_RESERVATION,
        "UpdateDataCatalog": _DATA_CATALOG,
    },
    defaults={"WorkGroup": "primary"},
)

_CLOUDFORMATION = NamedService(
    prefix="cloudformation",
    parameters=(("StackName", "stack/{}/*"),),
    operations={
        "CreateGeneratedTemplate": NO_RESOURCE,
        "DescribeStacks": (("StackName", "stack/{}/*"), ("", "stack/*/*")),
    },
)

_CODEBUILD = NamedService(
    prefix="codebuild",
    parameters=(
        ("projectName", "project/{}"),
        ("projectArn", "{}"),
        ("resourceArn", "{}"),
        ("name", "project/{}"),
        ("names", "project/{}"),
        ("id", "project/{head}"),
        ("ids", "project/{head}"),
    ),
    operations={
        "BatchGetReportGroups": (("reportGroupArns", "{}"),),
        "CreateReportGroup": (("name", "report-group/{}"),),
    },
)

_CODECONNECTIONS = NamedService(
    prefix="codeconnections",
    parameters=(("ConnectionArn", "{}"), ("HostArn", "{}"), ("ResourceArn", "{}")),
    operations={"CreateConnection": NO_RESOURCE},
)

_CODEPIPELINE = NamedService(
    prefix="codepipeline",
    parameters=(("pipelineName", "{}"), ("name", "{}"), ("resourceArn", "{}")),
    operations={
        "CreatePipeline": _PIPELINE_DEFINITION,
        "DeleteWebhook": (("name", "webhook:{}"),),
        "DisableStageTransition": _STAGE,
        "EnableStageTransition": _STAGE,
        "OverrideStageCondition": _STAGE,
        "PutActionRevision": (("pipelineName", "{}/{stageName}/{actionName}"),),
        "PutApprovalResult": (("pipelineName", "{}/{stageName}/{actionName}"),),
        "RetryStageExecution": _STAGE,
        "RollbackStage": _STAGE,
        "UpdatePipeline": _PIPELINE_DEFINITION,
    },
)

_ECR = NamedService(
    prefix="ecr",
    parameters=(("repositoryName", "repository/{}"), ("resourceArn", "{}")),
    operations={"DescribeRepositories": (("repositoryNames", "repository/{}"), ("", "repository/*"))},
)

_IAM = NamedService(
    prefix="iam",
    parameters=(
        ("InstanceProfileName", "instance-profile/{}"),
        ("RoleName", "role/{}"),
        ("UserName", "user/{}"),
        ("GroupName", "group/{}"),
        ("PolicyArn", "{}"),
    ),
    operations={
        "AddUserToGroup": (("GroupName", "group/{}"),),
        "CreateInstanceProfile": (("InstanceProfileName", "instance-profile{Path}{}"),),
        "CreatePolicy": (("PolicyName", "policy{Path}{}"),),
        "CreateRole": (("RoleName", "role{Path}{}"),),
        "CreateUser": (("UserName", "user{Path}{}"),),
        "RemoveUserFromGroup": (("GroupName", "group/{}"),),
    },
    defaults={"Path": "/"},
    region="",
)

_SCHEDULER = NamedService(
    prefix="scheduler",
    parameters=(("ResourceArn", "{}"), ("Name", "schedule/{GroupName}/{}")),
    operations={
        "CreateScheduleGroup": _SCHEDULE_GROUP,
        "DeleteScheduleGroup": _SCHEDULE_GROUP,
        "GetScheduleGroup": _SCHEDULE_GROUP,
    },
    defaults={"GroupName": "default"},
)

_STATES = NamedService(
    prefix="states",
    parameters=(
        ("stateMachineArn", "{}"),
        ("stateMachineAliasArn", "{}"),
        ("stateMachineVersionArn", "{}"),
        ("executionArn", "{}"),
        ("mapRunArn", "{}"),
        ("activityArn", "{}"),
        ("resourceArn", "{}"),
        ("name", "stateMachine:{}"),
    ),
    operations={
        "CreateActivity": (("name", "activity:{}"),),
        "ListStateMachines": NO_RESOURCE,
        "TestState": NO_RESOURCE,
        "ValidateStateMachineDefinition": NO_RESOURCE,
    },
)

_STS = NamedService(prefix="sts", parameters=(("RoleArn", "{}"),), region="")

# By SigV4 signing name.
NAMED_SERVICES: Mapping[str, NamedService] = MappingProxyType(
    {
        service.prefix: service
        for service in (
            _APPLICATION_AUTOSCALING,
            _ATHENA,
            _CLOUDFORMATION,
            _CODEBUILD,
            _CODECONNECTIONS,
            _CODEPIPELINE,
            _ECR,
            _IAM,
            _SCHEDULER,
            _STATES,
            _STS,
        )
    }
)
