"""The webhook from Secrets Manager, read anew each time, as people replace it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dbbackup.adapters.aws_errors import code_of
from dbbackup.core.errors import CredentialsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_PUT = (
    "Put the webhook there: aws secretsmanager put-secret-value --secret-id {secret} --secret-string file://webhook.txt"
)
_ACTIONS = {
    # An empty secret and one that is not there have the same code: no version is current.
    "ResourceNotFoundException": _PUT,
    "AccessDeniedException": "Allow the role to read the secret and to decrypt with its KMS key.",
}


def read_webhook(client: SecretsManagerClient, secret: str) -> str:
    """The webhook from a secret that is the URL itself, or a JSON object ``{"url": ...}``.

    Raises:
        CredentialsError: the secret is missing, empty, forbidden or malformed. Its content is in no message.
    """
    try:
        text = client.get_secret_value(SecretId=secret).get("SecretString") or ""
    except ClientError as error:
        problem = code_of(error)
    except BotoCoreError as error:
        problem = type(error).__name__
    else:
        return _url_in(text, secret)
    raise CredentialsError(
        f"The secret {secret} with the webhook of Slack cannot be read, or has no value yet: {problem}.",
        untouched="Nothing was sent.",
        action=_ACTIONS.get(problem, "Look at the secret in the console, and repeat.").format(secret=secret),
    )


def _url_in(text: str, secret: str) -> str:
    if not text.lstrip().startswith("{"):
        return text
    try:
        url = json.loads(text).get("url")
    except ValueError:
        url = None
    if isinstance(url, str):
        return url
    raise CredentialsError(
        f'The secret {secret} is neither a URL nor a JSON object with a text "url".',
        untouched="Nothing was sent.",
        action=_PUT.format(secret=secret),
    )
