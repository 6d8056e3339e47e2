"""Which checks there are, in the order to mend what they find, and what each asks of the world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property, partial

from dbbackup.core import doctor_bucket, doctor_machine, doctor_server
from dbbackup.core.client_fit import version_text
from dbbackup.core.compression import choose_compression
from dbbackup.core.connection import Connection
from dbbackup.core.connection_limits import connections_finding
from dbbackup.core.doctor import Check, Finding, Result, examine, failed, fine, warning
from dbbackup.core.doctor_ports import Bucket, Directory, Part, Server, ServerLook, Trait
from dbbackup.core.doctor_row_security import row_security_finding
from dbbackup.core.errors import DbBackupError
from dbbackup.core.manifest import Manifest
from dbbackup.core.ports import ClientTools
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.operations.doctor_world import World
from dbbackup.operations.newest_backup import newest_backup

DAILY_SECONDS = 25 * 3600
"""Older than this, the newest backup is not of the last night."""
_WEBHOOK = "SLACK_WEBHOOK_URL"


def run_doctor(world: World) -> tuple[Result, ...]:
    """Make all checks; the connection, if there is one, ends with them."""
    with ExitStack() as open_things:
        return examine(_Doctor(world, open_things).checks())


class _Doctor:
    """Remembers what one check found out for those after it; a check that needs it names it in ``needs``."""

    def __init__(self, world: World, open_things: ExitStack) -> None:
        self._world = world
        self._open = open_things
        # Known once their checks have succeeded; room on disk is judged without them, too.
        self._database_bytes: int | None = None
        self._newest_bytes: int | None = None

    @cached_property
    def _connection(self) -> Connection:
        return self._world.connection()

    @cached_property
    def _tools(self) -> ClientTools:
        tools = self._world.tools()
        return tools if self._database_bytes is None else tools.suited_to(version_text(self._look.version_num))

    @cached_property
    def _server(self) -> Server:
        return self._open.enter_context(self._world.server(self._connection))

    @cached_property
    def _look(self) -> ServerLook:
        return self._server.look()

    @cached_property
    def _bucket(self) -> Bucket:
        assert self._world.bucket is not None
        return self._world.bucket()

    @cached_property
    def _aws_skew(self) -> float | None:
        try:
            return self._bucket.skew_seconds()
        except DbBackupError:
            return None  # the check of the bucket makes it again, and says why it cannot be made

    @cached_property
    def _newest(self) -> Manifest | None:
        return newest_backup(self._world.store(), self._connection.database, self._connection.server)

    def checks(self) -> Iterator[Check]:
        """All of them: what others rest on comes first."""
        yield Check("settings", self._settings)
        yield Check("backup settings", self._backup_settings)
        textfiles = self._world.textfiles
        if textfiles is not None:
            yield Check("Prometheus", lambda: doctor_machine.textfile_finding(textfiles.problem(made=False)))
        if self._world.environment.get(_WEBHOOK):
            yield Check("Slack", lambda: doctor_machine.slack_finding(self._world.environment[_WEBHOOK]))
        yield Check("connection", self._connected, ("settings",))
        yield Check("client programs", self._programs)  # of several the one that suits the server, where it is known
        yield Check("compression", self._compression, ("backup settings", "client programs"))
        yield Check("versions", self._versions, ("client programs", "connection"))
        yield Check("TLS", lambda: doctor_server.tls_finding(self._look), ("connection",))
        yield Check("server's clock", self._server_clock, ("connection",))
        yield Check("connections", lambda: connections_finding(self._server.connections()), ("connection",))
        for part in Part:
            yield Check(part.value, partial(self._rights, part), ("connection",))
        yield Check("row-level security", self._row_security, ("connection",))
        yield Check("left out", lambda: doctor_server.left_out_finding(self._server.left_out()), ("connection",))
        yield Check("replication", lambda: doctor_server.replication_finding(self._look), ("connection",))
        if self._world.directory is not None:
            yield from self._directory_checks(self._world.directory)
        else:
            yield from self._bucket_checks()

    def _directory_checks(self, directory: Directory) -> Iterator[Check]:
        yield Check("directory", lambda: _directory_finding(directory))
        yield Check("newest backup", self._newest_backup, ("settings", "directory"))
        yield Check("free space", lambda: self._space(directory), ("directory",))
        yield Check("temporary files", self._temporary)

    def _bucket_checks(self) -> Iterator[Check]:
        if self._aws_skew is None:
            yield Check("bucket", self._bucket_there)
            yield Check("AWS's clock", self._aws_clock, ("bucket",))
        else:
            # First: AWS refuses whatever is signed at a wrong time, with the same word as what one may not do.
            yield Check("AWS's clock", self._aws_clock)
            yield Check("bucket", self._bucket_there, ("AWS's clock",))
        yield Check("listing", self._listing, ("bucket",))
        yield Check("KMS key", lambda: doctor_bucket.key_finding(self._bucket.key_problem()), ("bucket",))
        yield Check(
            "writing", lambda: doctor_bucket.writing_finding(self._bucket.try_to_write()), ("bucket", "KMS key")
        )
        for trait in Trait:
            yield Check(trait.value, partial(self._trait, trait), ("bucket",))
        yield Check("newest backup", self._newest_backup, ("settings", "listing"))
        yield Check("scratch space", self._scratch)

    def _settings(self) -> Finding:
        finding = doctor_machine.settings_finding(self._world.environment, self._world.url())
        if not self._connection.database:
            return failed(
                "no database is named", "Set POSTGRES_DB (and POSTGRES_HOST ...) or DATABASE_URL, or give --database."
            )
        return finding

    def _backup_settings(self) -> Finding:
        asked = self._world.asked()
        # Of what our pg_dump has the check of the compression knows more; this level may be none of anything.
        choose_compression(asked.compression, asked.level, client_has_zstd=True)
        return fine("a backup takes the settings of the environment")

    def _compression(self) -> Finding:
        asked, has_zstd = self._world.asked(), self._tools.has_zstd
        choose_compression(asked.compression, asked.level, client_has_zstd=has_zstd)
        return doctor_machine.compression_finding(has_zstd)

    def _programs(self) -> Finding:
        tools = self._tools
        return fine(f"pg_dump {tools.version}, with pg_restore and pg_dumpall, in {tools.location} ({tools.choice})")

    def _connected(self) -> Finding:
        self._database_bytes = self._look.database_bytes
        size = format_bytes(self._database_bytes)
        return fine(f"connected to the database {self._connection.database!r} as {self._connection}, which has {size}")

    def _versions(self) -> Finding:
        tools, look = self._tools, self._look
        return doctor_machine.version_finding(tools.version, tools.major, version_text(look.version_num), look.major)

    def _server_clock(self) -> Finding:
        return doctor_machine.clock_finding(self._look.skew_seconds, "the server's clock")

    def _rights(self, part: Part) -> Finding:
        return doctor_server.rights_finding(part, self._server.unreadable(part), self._look)

    def _row_security(self) -> Finding:
        return row_security_finding(self._server.guarded(), self._look)

    def _aws_clock(self) -> Finding:
        return doctor_machine.clock_finding(self._aws_skew or 0.0, "AWS's clock")

    def _bucket_there(self) -> Finding:
        return doctor_bucket.region_finding(self._bucket.look(), self._world.bucket_name)

    def _listing(self) -> Finding:
        self._bucket.try_to_list()
        return fine("its backups may be listed")

    def _trait(self, trait: Trait) -> Finding:
        return doctor_bucket.trait_finding(trait, self._bucket.setting(trait), self._world.bucket_name)

    def _space(self, directory: Directory) -> Finding:
        return doctor_machine.space_finding(
            directory.free_bytes(),
            database=self._database_bytes,
            newest=self._newest_bytes,
            where=str(directory.path),
        )

    def _scratch(self) -> Finding:
        scratch = self._world.scratch()
        return doctor_machine.scratch_finding(scratch.free_bytes(), self._newest_bytes, str(scratch.path))

    def _temporary(self) -> Finding:
        return fine(f"temporary files of a restore can be written to {self._world.scratch().path}")

    def _newest_backup(self) -> Finding:
        newest, database = self._newest, self._connection.database
        if newest is None:
            return warning(
                f"there is no verified backup of {database!r} of {self._connection.server} yet",
                "Take one: dbbackup backup. What there is of other servers: dbbackup list.",
            )
        self._newest_bytes = newest.archive.size_bytes
        age = (self._world.now() - newest.age_reference).total_seconds()
        found = f"the newest backup of {database!r} is {format_seconds(max(0, age))} old"
        if age > DAILY_SECONDS:
            return warning(
                found, "Take one (dbbackup backup), and see why none was taken: docs/runbooks/backup-missing.md."
            )
        return fine(found)


def _directory_finding(directory: Directory) -> Finding:
    problem = directory.problem()
    if problem:
        return failed(problem, "Give the user of the backups the right to write there, or name another: --directory.")
    return fine(f"{directory.path} can be written to")
