"""Who runs the command, for the receipt."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping


def requester(environment: Mapping[str, str]) -> str:
    """The person and run of a GitHub workflow, else the user and host.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    actor = environment.get("GITHUB_ACTOR")
    if actor:
        server, repository, run = (
            environment.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        )
        return f"{actor}, {server}/{repository}/actions/runs/{run}" if server and repository and run else actor
    return f"{_user()}@{machine()}"


def machine() -> str:
    """The name of this machine."""
    return socket.gethostname()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return "unnamed"
