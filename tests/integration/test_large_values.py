"""Memory does not grow with the data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.backups import restore
from tests.support.buckets import Bucket
from tests.support.command import clean_environment
from tests.support.databases import Database, DatabaseMaker

MIB = 1024**2
# The peak of the process itself, not of its children, as Linux keeps it for the program that runs now.
_MEASURED = """
import atexit, re, sys
from dbbackup.cli import main
atexit.register(lambda: sys.stderr.write(re.search(r"VmHWM:.*", open("/proc/self/status").read())[0] + "\\n"))
main()
"""


def _peak_of(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Bytes of memory at most, and the standard output, of a run of the command."""
    done = subprocess.run(
        (sys.executable, "-c", _MEASURED, *arguments),
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split("VmHWM:")[1].split()[0]) * 1024, done.stdout


@pytest.fixture
def with_large_value(new_database: DatabaseMaker) -> Database:
    """A database with one value of 100 MB that hardly shrinks."""
    made = new_database()
    made.execute("CREATE TABLE big (body bytea); ALTER TABLE big ALTER body SET STORAGE EXTERNAL")
    with made.connect() as connection:
        connection.execute("INSERT INTO big VALUES (%b)", (os.urandom(MIB) * 100,))
    return made


def test_a_value_of_100_mb_comes_back_and_was_never_in_our_memory(
    with_large_value: Database, new_database: DatabaseMaker, tmp_path: Path
) -> None:
    arguments = ["backup", "--json", "--level", "1", "--directory", str(tmp_path)]
    peak, out = _peak_of(arguments, with_large_value.environment())
    archive = json.loads(out)["manifest"]["archive"]
    assert archive["size_bytes"] > 90 * MIB
    restored = restore(tmp_path / archive["key"], with_large_value, new_database)
    digest = "SELECT encode(sha256(body), 'hex') FROM big"
    assert restored.value(digest) == with_large_value.value(digest)
    assert peak < 120 * MIB


def test_an_upload_holds_a_few_parts_and_no_more(
    with_large_value: Database, large_database: Database, bucket: Bucket
) -> None:
    peaks = []
    run: Callable[[Database], dict[str, str]] = lambda database: {**database.environment(), **bucket.aws.environment()}  # noqa: E731
    for database in (large_database, with_large_value):
        peak, _ = _peak_of(["backup", "--json", "--level", "1", "--bucket", bucket.name], run(database))
        peaks.append(peak)
    assert max(peaks) < 140 * MIB
    assert peaks[1] - peaks[0] < 16 * MIB, "four times the data takes no more memory"
