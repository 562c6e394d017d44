"""IAM roles and their policies."""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    ResourceContext,
    picked,
    tag_change,
    tag_list,
)

_DEFAULT_SESSION_SECONDS = 3600
_KINDS = {"Roles": "role", "Users": "user", "Groups": "group"}


class Role(Provider):
    """AWS::IAM::Role."""

    name_property = "RoleName"
    properties = frozenset(
        {
            "RoleName",
            "AssumeRolePolicyDocument",
            "Path",
            "Description",
            "MaxSessionDuration",
            "PermissionsBoundary",
            "ManagedPolicyArns",
            "Policies",
            "Tags",
        }
    )

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the role's name."""
        client = context.client("iam")
        name = properties.get("RoleName") or context.generated_name(64)
        role = client.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Tags=tag_list(properties),
            **picked(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary"),
        )["Role"]
        physical = Physical(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        context.report(physical)
        _set_policies(client, name, {}, properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Trust, limits, boundary, policies and tags change in place."""
        client, name = context.client("iam"), physical.id
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            client.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(new["AssumeRolePolicyDocument"]))
        if any(old.get(key) != new.get(key) for key in ("Description", "MaxSessionDuration")):
            client.update_role(
                RoleName=name,
                Description=new.get("Description", ""),
                MaxSessionDuration=new.get("MaxSessionDuration", _DEFAULT_SESSION_SECONDS),
            )
        if "PermissionsBoundary" in new and old.get("PermissionsBoundary") != new["PermissionsBoundary"]:
            client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=new["PermissionsBoundary"])
        elif "PermissionsBoundary" in old and "PermissionsBoundary" not in new:
            client.delete_role_permissions_boundary(RoleName=name)
        _set_policies(client, name, old, new)
        tags = tag_change(old, new)
        if tags.added:
            client.tag_role(RoleName=name, Tags=tag_list({"Tags": tags.added}))
        if tags.removed:
            client.untag_role(RoleName=name, TagKeys=tags.removed)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Takes every policy off the role first, as IAM demands."""
        client, name = context.client("iam"), physical.id
        for attached in client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=policy)
        client.delete_role(RoleName=name)


class Policy(Provider):
    """AWS::IAM::Policy: one inline policy on any number of roles, users and groups."""

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is an id that CloudFormation makes up."""
        physical = Physical(context.generated_name(64))
        context.report(physical)
        _put_inline(context.client("iam"), properties)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """Puts the new document; takes the policy off whoever is no longer named."""
        client = context.client("iam")
        _put_inline(client, new)
        kept = set(_holders(new)) if old["PolicyName"] == new["PolicyName"] else set()
        for holder in set(_holders(old)) - kept:
            _delete_inline(client, *holder, policy=old["PolicyName"])
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Takes the policy off everyone who has it."""
        client = context.client("iam")
        for holder in _holders(properties):
            _delete_inline(client, *holder, policy=properties["PolicyName"])


class ManagedPolicy(Provider):
    """AWS::IAM::ManagedPolicy."""

    name_property = "ManagedPolicyName"

    def create(self, context: ResourceContext, properties: Properties) -> Physical:
        """Ref is the policy's ARN."""
        client = context.client("iam")
        policy = client.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or context.generated_name(128),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
            Tags=tag_list(properties),
            **picked(properties, "Path", "Description"),
        )["Policy"]
        physical = Physical(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})
        context.report(physical)
        for kind, name in _holders(properties):
            _attachment(client, "attach", kind, name, physical.id)
        return physical

    def update(self, context: ResourceContext, physical: Physical, old: Properties, new: Properties) -> Physical:
        """A new document becomes the default version; the former one is dropped, as only five may exist."""
        client = context.client("iam")
        if old["PolicyDocument"] != new["PolicyDocument"]:
            former = client.get_policy(PolicyArn=physical.id)["Policy"]["DefaultVersionId"]
            document = json.dumps(new["PolicyDocument"])
            client.create_policy_version(PolicyArn=physical.id, PolicyDocument=document, SetAsDefault=True)
            client.delete_policy_version(PolicyArn=physical.id, VersionId=former)
        before, after = set(_holders(old)), set(_holders(new))
        for kind, name in after - before:
            _attachment(client, "attach", kind, name, physical.id)
        for kind, name in before - after:
            _attachment(client, "detach", kind, name, physical.id)
        return physical

    def delete(self, context: ResourceContext, physical: Physical, properties: Properties) -> None:
        """Detaches it from everyone first."""
        client = context.client("iam")
        for kind, name in _holders(properties):
            _attachment(client, "detach", kind, name, physical.id)
        client.delete_policy(PolicyArn=physical.id)


def _set_policies(client: Any, role: str, old: Properties, new: Properties) -> None:
    attached, wanted = set(old.get("ManagedPolicyArns", [])), set(new.get("ManagedPolicyArns", []))
    for arn in sorted(wanted - attached):
        client.attach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in sorted(attached - wanted):
        client.detach_role_policy(RoleName=role, PolicyArn=arn)
    before = {policy["PolicyName"]: policy["PolicyDocument"] for policy in old.get("Policies", [])}
    after = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
    for name, document in after.items():
        if before.get(name) != document:
            client.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    for name in sorted(before.keys() - after.keys()):
        client.delete_role_policy(RoleName=role, PolicyName=name)


def _holders(properties: Properties) -> list[tuple[str, str]]:
    return [(kind, name) for key, kind in _KINDS.items() for name in properties.get(key, [])]


def _put_inline(client: Any, properties: Properties) -> None:
    document = json.dumps(properties["PolicyDocument"])
    for kind, name in _holders(properties):
        put = getattr(client, f"put_{kind}_policy")
        put(**{f"{kind.title()}Name": name}, PolicyName=properties["PolicyName"], PolicyDocument=document)


def _delete_inline(client: Any, kind: str, name: str, *, policy: str) -> None:
    getattr(client, f"delete_{kind}_policy")(**{f"{kind.title()}Name": name}, PolicyName=policy)


def _attachment(client: Any, verb: str, kind: str, name: str, arn: str) -> None:
    getattr(client, f"{verb}_{kind}_policy")(**{f"{kind.title()}Name": name}, PolicyArn=arn)


PROVIDERS: Mapping[str, Provider] = {
    "AWS::IAM::Role": Role(),
    "AWS::IAM::Policy": Policy(),
    "AWS::IAM::ManagedPolicy": ManagedPolicy(),
}
