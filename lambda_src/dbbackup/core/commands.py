"""Command lines of the PostgreSQL client programs, as tuples; whom to connect to goes through the environment."""

from __future__ import annotations

from dbbackup.core.compression import Compression

Command = tuple[str, ...]
LOCK_WAIT_TIMEOUT = "300s"
"""How long pg_dump waits for a table that somebody holds exclusively, before it fails instead of hanging."""


def dump(program: str, *, snapshot: str, compression: Compression, client_major: int, standby: bool = False) -> Command:
    """pg_dump of the whole database in custom format, to standard output.

    https://www.postgresql.org/docs/current/app-pgdump.html
    """
    return (
        program,
        "--format=custom",
        f"--compress={compression.pg_dump_value(client_major)}",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_WAIT_TIMEOUT}",
        "--no-password",
        "--verbose",  # its lines on standard error say which table it is at
        # A standby has none of it, and reading an unlogged table there is an error.
        *(("--no-unlogged-table-data",) if standby else ()),
    )


def dump_roles(program: str, *, database: str) -> Command:
    """pg_dumpall of roles and tablespaces, to standard output, without password hashes.

    On RDS nobody may read pg_authid, where the hashes are, so without this option the dump fails there.
    https://www.postgresql.org/docs/current/app-pg-dumpall.html
    """
    return (
        program,
        "--globals-only",
        "--no-role-passwords",
        "--no-password",
        f"--database={conninfo_database(database)}",
    )


def list_contents(program: str) -> Command:
    """pg_restore that lists the table of contents of an archive on standard input."""
    return (program, "--list")


def write_data(program: str, *, use_list: str) -> Command:
    """pg_restore that reads an archive on standard input to its end and writes the data as a script.

    Every data block that is listed is decompressed on the way, so an archive that is cut short or damaged fails here.
    """
    return (program, "--format=custom", "--exit-on-error", f"--use-list={use_list}", "--file=-")


def write_script(
    program: str, archive: str, *, owner: bool, privileges: bool, tablespaces: bool, use_list: str
) -> Command:
    """pg_restore that writes entries of an archive as SQL to standard output."""
    return (program, *_leaving_out(owner, privileges, tablespaces), f"--use-list={use_list}", "--file=-", archive)


def _leaving_out(owner: bool, privileges: bool, tablespaces: bool) -> Command:
    options = (
        () if owner else ("--no-owner",),
        () if privileges else ("--no-privileges",),
        () if tablespaces else ("--no-tablespaces",),
    )
    return tuple(option for group in options for option in group)


def restore(
    program: str,
    archive: str,
    *,
    database: str,
    jobs: int,
    owner: bool,
    privileges: bool,
    disable_triggers: bool,
    tablespaces: bool,
    use_list: str,
) -> Command:
    """pg_restore of entries of an archive into a database; after an error it goes on with the next entry.

    https://www.postgresql.org/docs/current/app-pgrestore.html
    """
    return (
        program,
        f"--jobs={jobs}",
        "--no-password",
        "--verbose",  # its lines on standard error say which entry it is at
        *_leaving_out(owner, privileges, tablespaces),
        *(("--disable-triggers",) if disable_triggers else ()),
        f"--use-list={use_list}",
        f"--dbname={conninfo_database(database)}",
        archive,
    )


def probe_zstd(program: str) -> Command:
    """pg_dump that says whether it can compress with zstd, and then fails to connect to a socket nobody has."""
    return (program, "--format=custom", "--compress=zstd:1", "--no-password", "--host=/nonexistent", "--dbname=none")


def conninfo_database(database: str) -> str:
    """A connection string that names just the database.

    pg_dumpall would read a bare name with an equals sign in it as a connection string.
    """
    escaped = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"
