"""The step in which a migration goes wrong, with a backup taken just before it."""

from __future__ import annotations

import json

from dbbackup.contract import Tier
from devtools.demo.stage import Stage
from devtools.demo.world import BUCKET, DATABASE, World
from devtools.sample_database import Sample, measure

_PSQL = (
    'PGPASSWORD="$POSTGRES_PASSWORD" psql -h "$POSTGRES_HOST" -p "$POSTGRES_PORT" -U "$POSTGRES_USER" -d "$POSTGRES_DB"'
)
_MIGRATION = f"{_PSQL} -q -v ON_ERROR_STOP=1 -c 'DELETE FROM payment' -c 'ALTER TABLE no_such ADD COLUMN note text'"


def migrate_badly(stage: Stage, world: World, sample: Sample) -> None:
    """A migration that empties a table and then fails; then one without a backup."""
    guard = ("dbbackup", "guard", "--bucket", BUCKET)
    done = world.run(*guard, "--", "sh", "-c", _MIGRATION)
    stage.quote(f"$ dbbackup guard --bucket {BUCKET} -- ./migrate.sh\n{done.stdout}{done.stderr}")
    (way,) = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("dbbackup restore ")]
    stage.prove(
        "a migration that fails half-way ends with its own exit status, and the way back is printed",
        done.returncode != 0 and measure(world.server, DATABASE).rows < sample.rows,
        f"exit status {done.returncode}, {measure(world.server, DATABASE).rows:,} rows are left",
    )
    back = world.run("sh", "-c", f"{way} --yes")
    now = measure(world.server, DATABASE)
    stage.prove(
        "the printed command, run as it stands, brings everything back",
        back.returncode == 0 and (now.tables, now.rows) == (sample.tables, sample.rows),
        f"{now.tables} tables, {now.rows:,} rows" if back.returncode == 0 else back.stderr,
    )
    refused = world.run("dbbackup", "receipt", "verify", "--bucket", BUCKET, "--database", DATABASE)
    stage.quote(f"$ dbbackup receipt verify --bucket {BUCKET} --database {DATABASE}\n{refused.stdout}{refused.stderr}")
    stage.prove("a deploy job that asks for a receipt is told no", refused.returncode == 1, "exit status 1")

    backups = len(world.listed())
    wrong = world.run("env", "POSTGRES_PASSWORD=wrong", *guard, "--", "sh", "-c", "echo THE MIGRATION HAS RUN")
    stage.prove(
        "without a verified backup the migration does not run",
        wrong.returncode != 0 and "HAS RUN" not in wrong.stdout and len(world.listed()) == backups,
        wrong.stderr.splitlines()[0].removeprefix("❌ "),
    )
    taken = json.loads(world.run("dbbackup", "receipt", "show", "--bucket", BUCKET, "--json").stdout)
    stage.note(f"a receipt says: {Tier.PRE_MIGRATION.value} backup, status {taken['status']}, {taken['requested_by']}")
