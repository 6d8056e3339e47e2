"""What jobs of GitHub Actions may do in the account: exactly what their workflow does, for exactly one repository."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template as AssertedTemplate
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from constructs_lib import GithubActionsAccess, GithubRepository
from constructs_lib.write_once import RECEIPT_SUFFIX
from dbbackup.contract import Tier
from dbbackup.core import naming
from stacks.settings import SettingsError
from stacks.settings.github import GithubSettings
from stacks.settings.load import parse
from tests.infrastructure.synthesis import (
    Synthesized,
    Template,
    block_of,
    cdk_context,
    role_statements,
    settings_of,
    synthesize,
)
from tests.workflows.job import read_workflow

CLAIMS = "token.actions.githubusercontent.com"
GITHUB = {"repository": "acme/orders", "deploys": True}
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
# rule and what it found, path, why it is right
ACCEPTED = (
    (
        r"AwsSolutions-IAM5\[Resource::.*/(daily|weekly|monthly|pre-migration|manual)/\*\]",
        "github/Github/(Backup|Migration)/DefaultPolicy/Resource",
        "The name of a backup holds its time, so the objects of a tier are named by its prefix",
    ),
    (
        r"AwsSolutions-IAM5\[Resource::.*/pre-migration/\*\.receipt\.json\]",
        "github/Github/(Backup|Migration)/DefaultPolicy/Resource",
        "A receipt has the name of its backup, which holds its time",
    ),
)


@pytest.fixture(scope="module")
def synthesized(no_aws_account: None) -> Synthesized:
    """Prod, with a repository that may do everything."""
    return synthesize(settings_of("prod", github=GITHUB))


@pytest.fixture(scope="module")
def github(synthesized: Synthesized) -> Template:
    """The stack of GitHub."""
    return synthesized["github"]


def role_of(template: Template, name: str) -> str:
    """Logical id of a role."""
    (found,) = [role for role in template.resources("AWS::IAM::Role") if role.startswith(f"Github{name}")]
    return found


def trust(template: Template, name: str) -> dict[str, Any]:
    """The one statement by which a role is trusted."""
    document = template.resources("AWS::IAM::Role")[role_of(template, name)]["Properties"]["AssumeRolePolicyDocument"]
    (statement,) = document["Statement"]
    found: dict[str, Any] = statement
    return found


def actions(template: Template, name: str) -> set[str]:
    """All that a role may do."""
    return {action for found in role_statements(template, role_of(template, name)) for action in found["Action"]}


def test_without_the_setting_github_may_do_nothing(prod: Synthesized) -> None:
    assert "github" not in prod.parts
    for part in prod.parts:
        assert CLAIMS not in str(prod[part].body)


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("Backup", "repo:acme/orders:ref:refs/heads/main"),
        ("Migration", "repo:acme/orders:environment:production"),
        ("Deploy", "repo:acme/orders:environment:deployment"),
        ("Diff", "repo:acme/orders:pull_request"),
    ],
)
def test_each_role_is_trusted_for_one_subject_by_equality(github: Template, role: str, subject: str) -> None:
    (provider,) = github.resources("AWS::IAM::OIDCProvider")
    assert trust(github, role) == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": {"Ref": provider}},
        "Condition": {"StringEquals": {f"{CLAIMS}:aud": "sts.amazonaws.com", f"{CLAIMS}:sub": subject}},
    }


def test_there_is_no_other_role_and_each_ends_with_its_job(github: Template) -> None:
    roles = github.all("AWS::IAM::Role")
    assert len(roles) == 4
    lasting = {
        name: github.resources("AWS::IAM::Role")[role_of(github, name)]["Properties"]["MaxSessionDuration"]
        for name in ("Backup", "Migration", "Diff", "Deploy")
    }
    assert lasting == {"Backup": 3600, "Migration": 3600, "Diff": 3600, "Deploy": 7200}
    job = read_workflow("deploy")["jobs"]["deploy"]
    (assumed,) = [step["with"] for step in job["steps"] if "role-to-assume" in step.get("with", {})]
    assert assumed["role-duration-seconds"] == lasting["Deploy"] == 60 * job["timeout-minutes"]
    assert not [role for role in roles if "ManagedPolicyArns" in role]


def test_the_provider_takes_tokens_that_are_meant_for_aws(github: Template) -> None:
    provider = github.only("AWS::IAM::OIDCProvider")
    assert provider["Url"] == f"https://{CLAIMS}"
    assert provider["ClientIdList"] == ["sts.amazonaws.com"]


def test_a_job_may_make_backups_and_unmake_none(github: Template) -> None:
    granted = actions(github, "Backup")
    assert granted == {
        "s3:PutObject",
        "s3:PutObjectRetention",
        "s3:PutObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    }


def test_a_migration_has_its_backup_made_and_writes_receipts_alone(github: Template) -> None:
    found = {statement["Sid"]: statement for statement in role_statements(github, role_of(github, "Migration"))}
    assert found["StartBackups"]["Action"] == ["lambda:InvokeFunction"]
    assert "BackupFunction" in str(found["StartBackups"]["Resource"])
    writing = [sid for sid, statement in found.items() if "s3:PutObject" in statement["Action"]]
    assert writing == ["CreateReceipts", "WriteReceiptsOn"]
    for sid in (*writing, "TagReceipts"):
        (written,) = found[sid]["Resource"]
        assert written["Fn::Join"][1][-1] == f"/{Tier.PRE_MIGRATION.value}/*.receipt.json"
    assert found["CreateReceipts"]["Condition"] == {"Null": {"s3:if-none-match": "false"}}
    assert found["WriteReceiptsOn"]["Condition"] == {"Null": {"s3:if-match": "false"}}
    (read,) = found["ReadBackupsBeforeMigrations"]["Resource"]
    assert read["Fn::Join"][1][-1] == f"/{Tier.PRE_MIGRATION.value}/*"
    assert found["EncryptAndReadReceipts"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    }
    assert len(found) == 7


def test_receipts_are_named_as_the_running_code_names_them() -> None:
    assert RECEIPT_SUFFIX == naming.RECEIPT_SUFFIX


@pytest.mark.parametrize(
    ("role", "parts"), [("Diff", ["lookup"]), ("Deploy", ["deploy", "file-publishing", "image-publishing", "lookup"])]
)
def test_deployments_go_through_the_roles_of_the_bootstrap_alone(github: Template, role: str, parts: list[str]) -> None:
    (statement,) = role_statements(github, role_of(github, role))
    assert statement["Action"] == ["sts:AssumeRole"]
    assumed = [re.findall(r":role/cdk-hnb659fds-([a-z-]+)-role-", str(arn)) for arn in statement["Resource"]]
    assert assumed == [[part] for part in parts]
    assert all(arn["Fn::Join"][1][-1] == "-us-east-1" for arn in statement["Resource"])


def test_nothing_is_allowed_on_everything(github: Template) -> None:
    for role in github.resources("AWS::IAM::Role"):
        for statement in role_statements(github, role):
            assert "*" not in statement["Resource"]
            assert not [action for action in statement["Action"] if "*" in action]


def test_the_outputs_are_the_variables_of_the_repository(github: Template) -> None:
    described = {output["Description"]: output["Value"]["Fn::GetAtt"][0] for output in github.body["Outputs"].values()}
    assert described == {
        "Variable AWS_ROLE_ARN of the repository": role_of(github, "Backup"),
        "Variable AWS_MIGRATION_ROLE_ARN of the repository": role_of(github, "Migration"),
        "Variable AWS_DIFF_ROLE_ARN of the repository": role_of(github, "Diff"),
        "Variable AWS_DEPLOY_ROLE_ARN of the repository": role_of(github, "Deploy"),
    }


def test_other_settings_are_followed(no_aws_account: None) -> None:
    wanted = {
        "repository": "acme/orders.api",
        "owner_id": 123456,
        "repository_id": 456789,
        "branch": "release/1.x",
        "environment": "db-prod",
        "migration_backup": "runner",
        "provider_arn": PROVIDER,
    }
    template = synthesize(settings_of("prod", github=wanted))["github"]
    assert not template.resources("AWS::IAM::OIDCProvider")
    prefix = "repo:acme@123456/orders.api@456789"
    assert trust(template, "Backup")["Principal"] == {"Federated": PROVIDER}
    assert (
        trust(template, "Backup")["Condition"]["StringEquals"][f"{CLAIMS}:sub"]
        == f"{prefix}:ref:refs/heads/release/1.x"
    )
    assert trust(template, "Migration")["Condition"]["StringEquals"][f"{CLAIMS}:sub"] == f"{prefix}:environment:db-prod"
    assert actions(template, "Migration") == actions(template, "Backup")
    # Who does not say that jobs may deploy has no role that could.
    assert len(template.resources("AWS::IAM::Role")) == 2
    assert "sts:AssumeRole'" not in str(template.all("AWS::IAM::Policy"))


APPLICATIONS = [
    {"repository": "acme/shop", "owner_id": 1, "repository_id": 2},
    {"repository": "acme/stock", "environment": "live"},
    {"repository": "acme/orders", "environment": "production"},
]


def test_each_repository_that_migrates_has_a_role_whose_id_stays(no_aws_account: None) -> None:
    template = synthesize(settings_of("prod", github={**GITHUB, "migrations": APPLICATIONS}))["github"]
    roles = {
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"][
            f"{CLAIMS}:sub"
        ]: name
        for name, role in template.resources("AWS::IAM::Role").items()
        if name.startswith("GithubMigration")
    }
    assert set(roles) == {
        "repo:acme@1/shop@2:environment:production",
        "repo:acme/stock:environment:live",
        "repo:acme/orders:environment:production",
    }
    for role in roles.values():
        assert {statement["Sid"] for statement in role_statements(template, role)} >= {
            "StartBackups",
            "WriteReceiptsOn",
        }
    alone = synthesize(settings_of("prod", github=GITHUB))["github"]
    assert roles["repo:acme/orders:environment:production"] == role_of(alone, "Migration")
    fewer = synthesize(settings_of("prod", github={**GITHUB, "migrations": APPLICATIONS[1::-1]}))["github"]
    shared = {name for name in fewer.resources("AWS::IAM::Role") if name.startswith("GithubMigration")}
    assert shared == {roles[subject] for subject in roles if "orders" not in subject}
    described = {output["Description"] for output in template.body["Outputs"].values()}
    assert described >= {
        "Variable AWS_MIGRATION_ROLE_ARN of the repository",
        "Variable AWS_MIGRATION_ROLE_ARN of the repository acme/shop, environment production",
        "Variable AWS_MIGRATION_ROLE_ARN of the repository acme/stock, environment live",
    }


@pytest.mark.parametrize(
    "github",
    [
        {"environment": "production", "deploy_environment": "production"},
        {"environment": "production", "deploy_environment": "Production"},
        {"environment": "deployment"},
        {"migrations": [{"repository": "Acme/Orders", "environment": "deployment"}]},
    ],
    ids=["same", "other capitals", "the default", "in the list"],
)
def test_a_migration_s_job_cannot_take_the_role_that_deploys(github: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"github\.deploy_environment") as refused:
        settings_of("prod", github={**GITHUB, **github})
    assert "jobs of one could take the role that deploys" in str(refused.value)
    settings_of("prod", github={**GITHUB, **github, "deploys": False})  # then there is no such role


def test_another_repository_s_environment_of_that_name_is_another(no_aws_account: None) -> None:
    settings_of("prod", github={**GITHUB, "migrations": [{"repository": "acme/shop", "environment": "deployment"}]})


@pytest.mark.parametrize(
    ("migrations", "path", "rule"),
    [
        ([{"repository": "acme/*"}], "github.migrations.0.repository", "no wildcard"),
        ([{"repository": "acme/shop", "environment": "prod*"}], "github.migrations.0.environment", "no wildcard"),
        ([{"repository": "acme/shop", "owner_id": 7}], "github.migrations.0.repository_id", "both numbers or none"),
        ([{"environment": "live"}], "github.migrations.0.repository", "no default"),
        ([{"repository": "acme/shop"}, {"repository": "Acme/shop"}], "github.migrations.1", "is there already"),
    ],
    ids=["repository", "environment", "numbers", "nobody", "twice"],
)
def test_a_migration_that_would_trust_too_much_or_nothing_is_refused(
    migrations: list[dict[str, Any]], path: str, rule: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of("prod", github={**GITHUB, "migrations": migrations})
    assert f"  {path}\n" in str(refused.value)
    assert rule in str(refused.value)


def test_the_workflow_deploys_in_the_environment_that_is_trusted_by_default() -> None:
    trusted = GithubSettings(repository="acme/orders").deploy_environment
    assert (
        read_workflow("deploy")["jobs"]["deploy"]["environment"] == f"${{{{ vars.DEPLOY_ENVIRONMENT || '{trusted}' }}}}"
    )


def test_the_bootstrap_may_have_another_qualifier(no_aws_account: None) -> None:
    context = {**cdk_context(), "@aws-cdk/core:bootstrapQualifier": "acme42"}
    stack = Stack(App(context=context), "somebody-elses")
    access = GithubActionsAccess(stack, "Github", repository=GithubRepository("acme", "orders"))
    access.grant_deploy(access.role_for_branch("Deploy", branch="main", description="Deploys from main"))
    template = Template(AssertedTemplate.from_stack(stack).to_json())
    (statement,) = role_statements(template, role_of(template, "Deploy"))
    assert all("role/cdk-acme42-" in str(arn) for arn in statement["Resource"])


REFUSED = [
    ("repository", "orders", "owner/name"),
    ("repository", "acme/*", "no wildcard"),
    ("repository", "*/orders", "no wildcard"),
    ("repository", "https://github.com/acme/orders", "owner/name"),
    ("repository", "acme/orders:ref", "owner/name"),
    ("branch", "*", "no wildcard"),
    ("branch", "release/*", "no wildcard"),
    ("branch", "refs/heads/main", "is put in front of it"),
    ("branch", "", "name of one branch"),
    ("environment", "prod*", "no wildcard"),
    ("environment", "a:b", "name of one environment"),
    ("provider_arn", "arn:aws:iam::123456789012:oidc-provider/example.com", "GitHub's own provider"),
    ("owner_id", 0, "greater than or equal to 1"),
    ("migration_backup", "none", "'function' or 'runner'"),
    ("branches", "main", "only known settings"),
]


@pytest.mark.parametrize(("name", "value", "rule"), REFUSED)
def test_what_would_trust_too_much_or_nothing_is_refused(name: str, value: Any, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings_of("prod", github={**GITHUB, name: value})
    message = str(refused.value)
    assert f"  github.{name}\n" in message
    assert rule in message
    assert "fix:" in message


@pytest.mark.parametrize(("given", "lacking"), [("owner_id", "repository_id"), ("repository_id", "owner_id")])
def test_one_number_without_the_other_is_refused(given: str, lacking: str) -> None:
    with pytest.raises(SettingsError, match=rf"github\.{lacking}"):
        settings_of("prod", github={**GITHUB, given: 7})


def test_a_repository_is_demanded() -> None:
    with pytest.raises(SettingsError, match="this setting has no default"):
        parse("prod", {"prod": {**block_of("prod"), "github": {}}})


def test_cloudformation_and_cdk_nag_accept_it(synthesized: Synthesized) -> None:
    path = synthesized.folder / f"{synthesized.prefix}-github.template.json"
    assert [
        found for found in lint_file(path, config=ManualArgs(regions=["us-east-1"])) if found.rule.id != "W3005"
    ] == []
    stack = synthesized.app.node.find_child(f"{synthesized.prefix}-github")
    report = AwsSolutionsChecks(synthesized.app).validate_scope(stack)
    found = [
        (violation.rule_name, (resource.construct_path or "").removeprefix(f"{synthesized.prefix}-"))
        for violation in report.violations
        for resource in violation.violating_resources
    ]
    ours = [(rule, place) for rule, place in found if place.startswith("github/")]
    for rule, place in ours:
        assert any(re.fullmatch(pattern, rule) and re.fullmatch(where, place) for pattern, where, _ in ACCEPTED), rule
    for pattern, where, reason in ACCEPTED:
        assert any(re.fullmatch(pattern, rule) and re.fullmatch(where, place) for rule, place in ours), pattern
        assert len(reason) > 20
