"""A CodePipeline of type V2 whose stages have one action each, every action under a role of its own.

Must not know what is released: the caller gives the actions and their statements. The pipeline's own role may assume
the actions' roles and nothing else.
https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from components.own_account import for_this_account

# CodePipeline keeps artifacts under the first 20 characters of the pipeline's name.
_ARTIFACT_FOLDER_CHARACTERS = 20


@dataclass(frozen=True, kw_only=True)
class PipelineAction:
    """One stage with its one action of the same name.

    `provider` is (category, provider) of CodePipeline's reference. `namespace` is what later actions call this one's
    output variables by. `reads` and `writes` name artifacts.
    """

    name: str
    provider: tuple[str, str]
    configuration: Mapping[str, str]
    statements: Sequence[iam.PolicyStatement]
    reads: str | None = None
    writes: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class PipelineVariable:
    """A variable of each execution; without `default` an execution has to bring a value."""

    name: str
    description: str
    default: str | None = None


@dataclass(frozen=True, kw_only=True)
class ArtifactPlace:
    """Where the actions hand files to each other."""

    bucket: s3.IBucket
    key: kms.IKey


class ActionPipeline(Construct):
    """Pipeline `name`, in which a newer execution overtakes an older one that waits; `name` is public."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        variables: Sequence[PipelineVariable],
        actions: Sequence[PipelineAction],
        artifacts: ArtifactPlace,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = name
        self._folder = f"{name[:_ARTIFACT_FOLDER_CHARACTERS]}/"
        self._role = iam.Role(
            self,
            "Role",
            description=f"CodePipeline {name}: assumes the roles of its actions",
            assumed_by=for_this_account("codepipeline"),
        )
        roles = {action.name: self._action_role(action, artifacts) for action in actions}
        self._role.add_to_policy(
            iam.PolicyStatement(actions=["sts:AssumeRole"], resources=[role.role_arn for role in roles.values()])
        )
        pipeline = self._pipeline(
            variables, artifacts, stages=[_stage(action, roles[action.name]) for action in actions]
        )
        pipeline.node.add_dependency(self._role, *roles.values())

    def _pipeline(
        self,
        variables: Sequence[PipelineVariable],
        artifacts: ArtifactPlace,
        *,
        stages: Sequence[codepipeline.CfnPipeline.StageDeclarationProperty],
    ) -> codepipeline.CfnPipeline:
        return codepipeline.CfnPipeline(
            self,
            "Pipeline",
            name=self.name,
            pipeline_type="V2",
            execution_mode="SUPERSEDED",
            # A changed template is no reason to deploy a version anew.
            restart_execution_on_update=False,
            role_arn=self._role.role_arn,
            variables=[_variable(variable) for variable in variables],
            artifact_store=_store(artifacts),
            stages=stages,
        )

    def _action_role(self, action: PipelineAction, artifacts: ArtifactPlace) -> iam.Role:
        role = iam.Role(
            self,
            f"{action.name}Role",
            description=f"Action {action.name} of pipeline {self.name}",
            assumed_by=iam.ArnPrincipal(self._role.role_arn),
        )
        for statement in (*action.statements, *self._artifact_access(action, artifacts)):
            role.add_to_policy(statement)
        return role

    def _artifact_access(self, action: PipelineAction, artifacts: ArtifactPlace) -> list[iam.PolicyStatement]:
        objects = [artifacts.bucket.arn_for_objects(f"{self._folder}*")]
        key = [artifacts.key.key_arn]
        statements = []
        if action.reads:
            statements += [
                iam.PolicyStatement(actions=["s3:GetObject", "s3:GetObjectVersion"], resources=objects),
                iam.PolicyStatement(actions=["kms:Decrypt"], resources=key),
            ]
        if action.writes:
            statements += [
                iam.PolicyStatement(actions=["s3:PutObject"], resources=objects),
                iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=key),
            ]
        return statements


def _variable(variable: PipelineVariable) -> codepipeline.CfnPipeline.VariableDeclarationProperty:
    return codepipeline.CfnPipeline.VariableDeclarationProperty(
        name=variable.name, description=variable.description, default_value=variable.default
    )


def _store(artifacts: ArtifactPlace) -> codepipeline.CfnPipeline.ArtifactStoreProperty:
    return codepipeline.CfnPipeline.ArtifactStoreProperty(
        type="S3",
        location=artifacts.bucket.bucket_name,
        encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(id=artifacts.key.key_arn, type="KMS"),
    )


def _stage(action: PipelineAction, role: iam.IRole) -> codepipeline.CfnPipeline.StageDeclarationProperty:
    structure = codepipeline.CfnPipeline
    category, provider = action.provider
    declaration = structure.ActionDeclarationProperty(
        name=action.name,
        action_type_id=structure.ActionTypeIdProperty(category=category, owner="AWS", provider=provider, version="1"),
        configuration=dict(action.configuration),
        input_artifacts=[structure.InputArtifactProperty(name=action.reads)] if action.reads else None,
        output_artifacts=[structure.OutputArtifactProperty(name=action.writes)] if action.writes else None,
        namespace=action.namespace,
        role_arn=role.role_arn,
        run_order=1,
    )
    return structure.StageDeclarationProperty(name=action.name, actions=[declaration])
