"""The last step: the server is gone with everything in it, and a new, empty one takes its place."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

from devtools.demo.stage import Stage
from devtools.demo.world import BUCKET, DATABASE, World
from devtools.postgres import Server, start_server
from devtools.sample_database import Sample, measure

# An application as it is run: roles of its own, and settings that its database would be of no use without.
_PROPERTIES = f"""
    CREATE ROLE ftry_app NOLOGIN; CREATE ROLE ftry_web LOGIN CONNECTION LIMIT 20; CREATE ROLE ftry_reports LOGIN;
    GRANT ftry_app TO ftry_web;
    ALTER ROLE ftry_web SET lock_timeout = '5s';
    ALTER ROLE ftry_reports IN DATABASE {DATABASE} SET statement_timeout = '10min';
    ALTER DATABASE {DATABASE} SET search_path = '$user', public, "Straße 7";
    ALTER DATABASE {DATABASE} CONNECTION LIMIT 90;
    COMMENT ON DATABASE {DATABASE} IS 'of the salons';
    REVOKE CONNECT, TEMPORARY ON DATABASE {DATABASE} FROM PUBLIC;
    GRANT CONNECT ON DATABASE {DATABASE} TO ftry_web, ftry_reports;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO ftry_reports;
    GRANT ftry_app TO CURRENT_USER WITH SET TRUE, INHERIT TRUE; GRANT CREATE ON SCHEMA public TO ftry_app;
    ALTER TABLE payment OWNER TO ftry_app; ALTER TABLE service OWNER TO ftry_app;
    REVOKE CREATE ON SCHEMA public FROM ftry_app; ALTER DATABASE {DATABASE} OWNER TO ftry_app
"""
_RESTRICT = re.compile(r"^\\(?:un)?restrict .*$", re.MULTILINE)


def lose_the_server(stage: Stage, world: World, sample: Sample) -> None:
    """Back up, end the server for good, and restore onto another that has neither roles nor databases."""
    world.server.execute(_PROPERTIES, DATABASE)
    made = world.run("dbbackup", "backup", "--bucket", BUCKET)
    before = _whole(world.server)
    stage.prove(
        "a last backup, of a database with an owner, roles and settings of its own",
        made.returncode == 0,
        f"{len(before.splitlines()):,} lines of pg_dump --create" if made.returncode == 0 else made.stderr,
    )
    _end(world.server)
    with start_server() as stock:
        new = stock.master
        stage.note(
            f"the server is gone; a new, empty one on port {new.port}, where {new.user!r} is no superuser, as on RDS"
        )
        arguments = ("restore", "latest", "--bucket", BUCKET, "--create-roles", "--yes")
        done = replace(world, server=new).run("dbbackup", *arguments)
        stage.quote(f"$ dbbackup {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        stage.prove("the database is restored there", done.returncode == 0, f"exit status {done.returncode}")
        now = measure(stock, DATABASE)
        stage.prove(
            "every row is there",
            (now.tables, now.rows) == (sample.tables, sample.rows),
            f"{now.tables} tables, {now.rows:,} rows",
        )
        stage.prove(
            "pg_dump --create says the same as before, line by line: owners, grants, settings, data",
            _whole(new) == before,
            f"{len(before.splitlines()):,} lines",
        )


def _whole(server: Server) -> str:
    """Everything that pg_dump says, as a superuser sees it, less the key that it draws for each dump."""
    root = server.superuser
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        "PGHOST": root.host,
        "PGPORT": str(root.port),
        "PGUSER": root.user,
        "PGPASSWORD": root.password,
    }
    command = (root.bindir / "pg_dump", "--create", f"--dbname={DATABASE}")
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return _RESTRICT.sub("", done.stdout.decode())


def _end(server: Server) -> None:
    """End the server at once, as a machine that is lost."""
    folder = Path(server.superuser.value("SHOW data_directory"))
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
