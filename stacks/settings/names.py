"""Names that AWS and PostgreSQL would refuse an hour into a deployment, refused here."""

from __future__ import annotations

import re
from typing import Annotated, Final

from stacks.settings.refusal import accepted_by

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_BUCKET_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html and what RDS itself creates.
_RESERVED_DATABASES: Final = frozenset({"rdsadmin", "template0", "template1"})
_RESERVED_USERS: Final = frozenset({"admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "public", "none"})


def instance_identifier_rule(name: str) -> str | None:
    """Rule of RDS that an instance identifier breaks."""
    if not 1 <= len(name) <= 63:
        return "an RDS identifier has 1 to 63 characters"
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return "an RDS identifier has lower-case letters, digits and hyphens, and begins with a letter"
    if name.endswith("-") or "--" in name:
        return "an RDS identifier neither ends with a hyphen nor has two in a row"
    return None


def bucket_name_rule(name: str) -> str | None:
    """Rule of S3 that a bucket name breaks."""
    if not 3 <= len(name) <= 63:
        return "an S3 bucket name has 3 to 63 characters"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*[a-z0-9]", name):
        return (
            "an S3 bucket name has lower-case letters, digits and hyphens, and begins and ends with a letter or "
            "digit (dots are allowed by S3 and break TLS, so not here)"
        )
    for prefix in _BUCKET_PREFIXES:
        if name.startswith(prefix):
            return f"S3 keeps the prefix {prefix} for itself"
    for suffix in _BUCKET_SUFFIXES:
        if name.endswith(suffix):
            return f"S3 keeps the suffix {suffix} for itself"
    return None


def created_database_rule(name: str) -> str | None:
    """Rule of RDS that the database created with an instance breaks."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name):
        return "RDS creates a database whose name begins with a letter and has 1 to 63 letters, digits and underscores"
    return database_rule(name)


def database_rule(name: str) -> str | None:
    """Rule of PostgreSQL or CloudWatch that any database name breaks, whoever created it."""
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    if not re.fullmatch(r"[ -~]+", name) or not name.strip() or name.startswith(":"):
        return (
            "the alarm on a missing backup is for one database by name, and CloudWatch takes printable ASCII there, "
            "not blank and not beginning with a colon"
        )
    if len(name) > 63:
        return "PostgreSQL cuts a database name after 63 bytes, so this one would never be found"
    if name in _RESERVED_DATABASES:
        return f"{name} belongs to RDS or to PostgreSQL itself and nobody else may connect to it"
    return None


def master_user_rule(name: str) -> str | None:
    """Rule of RDS that the name of a master user breaks."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name):
        return "an RDS master user begins with a letter and has 1 to 63 letters, digits and underscores"
    if name.lower() in _RESERVED_USERS or name.lower().startswith("pg_"):
        return f"{name} is reserved by RDS or PostgreSQL"
    return None


def _matches(pattern: str, rule: str) -> object:
    return accepted_by(
        lambda text: None if re.fullmatch(pattern, text) else rule,
        fix="copy it from the AWS console or the output of the stack that owns it",
    )


InstanceIdentifier = Annotated[
    str, accepted_by(instance_identifier_rule, fix="write a name such as ftry-prod; it becomes part of the endpoint")
]
BucketName = Annotated[
    str, accepted_by(bucket_name_rule, fix="write a name such as ftry-backups, or leave it out to have one generated")
]
CreatedDatabase = Annotated[str, accepted_by(created_database_rule, fix="write a name such as ftry")]
DatabaseName = Annotated[str, accepted_by(database_rule, fix="write the name of a database on this instance")]
MasterUser = Annotated[str, accepted_by(master_user_rule, fix="write a name such as postgres")]
VpcId = Annotated[str, _matches(r"vpc-[0-9a-f]{8,17}", "a VPC id is vpc- and 8 to 17 hexadecimal digits")]
SubnetId = Annotated[str, _matches(r"subnet-[0-9a-f]{8,17}", "a subnet id is subnet- and 8 to 17 hexadecimal digits")]
RouteTableId = Annotated[str, _matches(r"rtb-[0-9a-f]{8,17}", "a route table id is rtb- and hexadecimal digits")]
SecurityGroupId = Annotated[str, _matches(r"sg-[0-9a-f]{8,17}", "a security group id is sg- and hexadecimal digits")]
SecretArn = Annotated[
    str,
    _matches(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}",
        "a complete secret ARN ends with the six characters that Secrets Manager adds to the name",
    ),
]
RoleArn = Annotated[str, _matches(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "an IAM role ARN")]
KeyArn = Annotated[str, _matches(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+", "a KMS key ARN, not an alias")]
