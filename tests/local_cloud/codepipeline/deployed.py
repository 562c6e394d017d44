"""A small release pipeline on a running local cloud: S3 source, approval, function, stack; with roles of its own."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.running_cloud import ACCOUNT, RunningCloud
from tests.waiting import wait_for

FUNCTION = """
import json
import boto3

client = boto3.client("codepipeline")


def handle(event, context):
    job = event["CodePipeline.job"]
    given = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    if given.get("fail"):
        details = {"type": "JobFailed", "message": given["fail"]}
        client.put_job_failure_result(jobId=job["id"], failureDetails=details)
    elif given.get("continue") and "continuationToken" not in job["data"]:
        client.put_job_success_result(jobId=job["id"], continuationToken="second")
    else:
        variables = {"seen": given["value"], "token": job["data"].get("continuationToken", "none")}
        artifacts = job["data"]["inputArtifacts"]
        if artifacts:
            place, keys = artifacts[0]["location"]["s3Location"], job["data"]["artifactCredentials"]
            s3 = boto3.client(
                "s3",
                aws_access_key_id=keys["accessKeyId"],
                aws_secret_access_key=keys["secretAccessKey"],
                aws_session_token=keys["sessionToken"],
            )
            body = s3.get_object(Bucket=place["bucketName"], Key=place["objectKey"])["Body"].read()
            variables["artifact_bytes"] = str(len(body))
        client.put_job_success_result(jobId=job["id"], outputVariables=variables)
"""
TEMPLATE = {
    "Parameters": {"Value": {"Type": "String"}, "Kind": {"Type": "String", "Default": "String"}},
    "Resources": {
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/release/live", "Type": {"Ref": "Kind"}, "Value": {"Ref": "Value"}},
        }
    },
    "Outputs": {"LiveParameter": {"Value": {"Ref": "Parameter"}}},
}


@dataclass(frozen=True)
class Account:
    """What a pipeline needs, made in an empty account. `roles` are ARNs by short name."""

    cloud: RunningCloud
    roles: Mapping[str, str]

    def put_source(self, template: Mapping[str, Any] = TEMPLATE, **files: Any) -> str:
        """A new version of the source object; its version id."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("template.json", json.dumps(template))
            for name, content in files.items():
                archive.writestr(f"{name}.json", json.dumps(content))
        answer = self.cloud.client("s3").put_object(Bucket="source", Key="app.zip", Body=buffer.getvalue())
        return str(answer["VersionId"])

    def create(self, *stages: dict[str, Any], **settings: Any) -> None:
        """Create the pipeline `release`."""
        declaration = {
            "name": "release",
            "roleArn": self.roles["pipeline"],
            "pipelineType": "V2",
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "variables": [{"name": "Version", "defaultValue": "v1"}],
            "stages": [self.source(), *stages],
            **settings,
        }
        self.cloud.client("codepipeline").create_pipeline(pipeline=declaration)

    def source(self) -> dict[str, Any]:
        """The source stage."""
        configuration = {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}
        action = self.action(
            "Source", "Source/S3", configuration, outputArtifacts=[{"name": "App"}], namespace="Source"
        )
        return {"name": "Source", "actions": [action]}

    def deploy(self, *, configuration: Mapping[str, str], **members: Any) -> dict[str, Any]:
        """A stage with one CloudFormation action; `configuration` comes on top of a create or update."""
        given = {
            "ActionMode": "CREATE_UPDATE",
            "StackName": "live",
            "TemplatePath": "App::template.json",
            "RoleArn": self.roles["cloudformation"],
            **configuration,
        }
        members = {"inputArtifacts": [{"name": "App"}], "namespace": "Deployed", **members}
        action = self.action("Deploy", "Deploy/CloudFormation", given, **members)
        return {"name": "Deploy", "actions": [action]}

    def verify(self, parameters: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """A stage with one function."""
        configuration = {"FunctionName": "verify", "UserParameters": json.dumps(parameters)}
        action = self.action("Verify", "Invoke/Lambda", configuration, namespace="Verified", **members)
        return {"name": "Verify", "actions": [action]}

    def action(self, name: str, kind: str, configuration: Mapping[str, str], **members: Any) -> dict[str, Any]:
        """An action with the role of its category."""
        category, provider = kind.split("/")
        type_id = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        role = {"roleArn": self.roles[category.lower()]} if category.lower() in self.roles else {}
        return {"name": name, "actionTypeId": type_id, "configuration": dict(configuration), **role, **members}

    def newest(self) -> str:
        """Id of the newest execution."""
        listed = self.cloud.client("codepipeline").list_pipeline_executions(pipelineName="release")
        return str(listed["pipelineExecutionSummaries"][0]["pipelineExecutionId"])

    def ended(self, execution_id: str) -> dict[str, Any]:
        """The execution once it has ended."""
        client = self.cloud.client("codepipeline")

        def final() -> dict[str, Any] | None:
            described: dict[str, Any] = client.get_pipeline_execution(
                pipelineName="release", pipelineExecutionId=execution_id
            )["pipelineExecution"]
            return described if described["status"] not in ("InProgress", "Stopping") else None

        return wait_for(final, what="the pipeline to end")

    def variables(self, execution_id: str) -> dict[str, dict[str, str]]:
        """Output variables by action."""
        listed = self.cloud.client("codepipeline").list_action_executions(
            pipelineName="release", filter={"pipelineExecutionId": execution_id}
        )["actionExecutionDetails"]
        return {item["actionName"]: item.get("output", {}).get("outputVariables", {}) for item in listed}

    def live(self) -> str:
        """The value of the parameter that the stack makes."""
        parameter = self.cloud.client("ssm").get_parameter(Name="/release/live")["Parameter"]
        return str(parameter["Value"])


def prepare(cloud: RunningCloud) -> Account:
    """Buckets, the function `verify`, and least-privileged roles."""
    s3 = cloud.client("s3")
    for bucket in ("source", "artifacts"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    artifacts = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::artifacts/*"}
    stacks = ["cloudformation:*Stack*", "cloudformation:*ChangeSet"]
    passing = {"Action": "iam:PassRole", "Resource": _arn("cloudformation")}
    source = {"Action": ["s3:Get*", "s3:ListBucket"], "Resource": ["arn:aws:s3:::source", "arn:aws:s3:::source/*"]}
    roles = {
        "pipeline": _role(
            cloud,
            "pipeline",
            {"Service": "codepipeline.amazonaws.com"},
            {"Action": "sts:AssumeRole", "Resource": [_arn(name) for name in ("source", "deploy", "invoke")]},
            {"Action": "sns:Publish", "Resource": "*"},
        ),
        "source": _role(cloud, "source", account, artifacts, source),
        "deploy": _role(cloud, "deploy", account, artifacts, passing, {"Action": stacks, "Resource": "*"}),
        "invoke": _role(cloud, "invoke", account, artifacts, {"Action": "lambda:InvokeFunction", "Resource": "*"}),
        "cloudformation": _role(cloud, "cloudformation", {"Service": "cloudformation.amazonaws.com"}),
        "function": _role(
            cloud,
            "function",
            {"Service": "lambda.amazonaws.com"},
            {"Action": ["codepipeline:PutJob*", "logs:*"], "Resource": "*"},
        ),
    }
    _function(cloud, roles["function"])
    return Account(cloud, roles)


def _function(cloud: RunningCloud, role_arn: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("verify.py", FUNCTION)
    cloud.client("lambda").create_function(
        FunctionName="verify",
        Runtime="python3.12",
        Handler="verify.handle",
        Role=role_arn,
        Code={"ZipFile": buffer.getvalue()},
        Timeout=30,
        MemorySize=256,
    )


def _role(cloud: RunningCloud, name: str, principal: Mapping[str, str], *statements: Mapping[str, Any]) -> str:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    if statements:
        allowed = [{"Effect": "Allow", **statement} for statement in statements]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*allowed))
    return str(arn)


def _document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"
