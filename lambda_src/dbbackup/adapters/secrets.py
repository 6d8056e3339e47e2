"""Credentials from Secrets Manager, read anew for every run, as they rotate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dbbackup.adapters.aws_errors import code_of
from dbbackup.core.errors import CredentialsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_UNTOUCHED = "Nothing was connected to and nothing was written."


def make_client() -> SecretsManagerClient:
    """A Secrets Manager client that gives up soon enough to leave time for saying so."""
    return boto3.client(
        "secretsmanager",
        config=Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=10),
    )


def read_credentials(client: SecretsManagerClient, secret: str) -> tuple[str, str]:
    """User name and password from a secret of the form that RDS uses: JSON with ``username`` and ``password``.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html

    Raises:
        CredentialsError: the secret is missing, forbidden or malformed. Its content is in no message.
    """
    try:
        text = client.get_secret_value(SecretId=secret).get("SecretString")
    except ClientError as error:
        code = code_of(error)
        action = {
            "ResourceNotFoundException": "Check the ARN in the function's environment, and deploy again if the secret "
            "was replaced.",
            "AccessDeniedException": "Allow the role to read the secret and to decrypt with its KMS key.",
        }.get(code, "Look at the secret in the console, and repeat.")
        raise CredentialsError(
            f"The database secret {secret} cannot be read: {code}.", untouched=_UNTOUCHED, action=action
        ) from error
    except BotoCoreError as error:
        raise CredentialsError(
            f"The database secret {secret} cannot be read: {type(error).__name__}.",
            untouched=_UNTOUCHED,
            action="Check the path to Secrets Manager (in a VPC: the interface endpoint and its security group).",
        ) from error
    try:
        content = json.loads(text or "")
        username, password = content["username"], content["password"]
    except (ValueError, KeyError, TypeError):
        username = password = None
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        # No chain: the error of a parser quotes what it parsed.
        raise CredentialsError(
            f"The database secret {secret} is not a JSON object with a username and a password.",
            untouched=_UNTOUCHED,
            action="Restore its previous version, or write it in the form RDS generates.",
        ) from None
    return username, password
