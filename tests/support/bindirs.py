"""Folders of client programs put together for a test."""

from __future__ import annotations

from pathlib import Path

from devtools.postgres import LATEST, PREVIOUS, package_bindir


def previous_programs(folder: Path, *, dump_roles: str | None = None) -> Path:
    """Client programs of PostgreSQL 17, which have zstd and TLS.

    Their package brings no pg_dumpall, so that one comes from PostgreSQL 18, which may read an older server.

    Args:
        folder: where to make the folder.
        dump_roles: a shell script to run before pg_dumpall.
    """
    bindir = folder / "bin17"
    bindir.mkdir()
    for program in ("pg_dump", "pg_restore", "psql"):
        (bindir / program).symlink_to(package_bindir(PREVIOUS) / program)
    roles = package_bindir(LATEST) / "pg_dumpall"
    if dump_roles is None:
        (bindir / "pg_dumpall").symlink_to(roles)
    else:
        (bindir / "pg_dumpall").write_text(f'#!/bin/sh\n{dump_roles}\nexec "{roles}" "$@"\n')
        (bindir / "pg_dumpall").chmod(0o755)
    return bindir


def with_program(folder: Path, program: str, script: str) -> Path:
    """The client programs of PostgreSQL 18, one of them replaced by a shell script; REAL is the true one."""
    real = package_bindir(LATEST)
    bindir = folder / "bin18"
    bindir.mkdir()
    for name in ("pg_dump", "pg_dumpall", "pg_restore"):
        if name != program:
            (bindir / name).symlink_to(real / name)
    (bindir / program).write_text(f'#!/bin/sh\nREAL="{real / program}"\n{script}\n')
    (bindir / program).chmod(0o755)
    return bindir
