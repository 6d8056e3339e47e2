"""Run while the image is built: the client programs are there, of the right major, and say what they can do."""

from __future__ import annotations

import argparse
import os
import ssl
import sys
from pathlib import Path

from dbbackup.adapters.postgres_tools import PostgresTools
from dbbackup.adapters.tool_location import find_folders
from dbbackup.core.connection import Connection
from dbbackup.core.errors import DbBackupError


def check(*, major: int, ca_bundle: Path) -> list[str]:
    """What was found, a line each.

    Raises:
        DbBackupError: a program is missing or does not run.
        ValueError: the major is another, or the bundle holds no authority.
    """
    tools = PostgresTools(find_folders(os.environ)[0].folder, Connection())
    if tools.major != major:
        raise ValueError(f"pg_dump in {tools.location} is {tools.version}, the image is to have major {major}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca_bundle)
    authorities = len(context.get_ca_certs())
    if authorities == 0:
        raise ValueError(f"{ca_bundle} holds no certificate authority")
    return [
        f"pg_dump {tools.version} in {tools.location}",
        f"zstd: {'yes' if tools.has_zstd else 'no, archives will be compressed with gzip'}",
        f"{authorities} certificate authorities in {ca_bundle}",
    ]


def main() -> None:
    """Print what was found, or fail the build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--major", type=int, required=True, help="expected major version of the client")
    parser.add_argument("--ca-bundle", type=Path, required=True, help="certificate authorities to check")
    options = parser.parse_args()
    try:
        lines = check(major=options.major, ca_bundle=options.ca_bundle)
    except (DbBackupError, ValueError, OSError) as error:
        sys.exit(f"This image cannot make backups: {error}")
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
