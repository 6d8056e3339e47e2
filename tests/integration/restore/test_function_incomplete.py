"""A restore by the function that lacks entries of the archive fails, is counted and told, and loses nothing."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from dbbackup.contract import Metric, Tier, metric_dimensions
from dbbackup.core.errors import RestoreIncompleteError
from dbbackup.handlers.restore import handler
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.databases import Database
from tests.support.function import deploy, log_here, notices

_BROKEN = """
    CREATE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT upper(t) $$;
    CREATE INDEX loud ON item (shout(name));
    CREATE OR REPLACE FUNCTION shout(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN RETURN (SELECT name FROM gone LIMIT 1); END $$
"""
_INDEX = "CREATE INDEX loud ON public.item USING btree (public.shout(name));"


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def _invoke(**event: Any) -> dict[str, Any]:
    return handler(event, cast("LambdaContext", _Context()))


@pytest.fixture(autouse=True)
def _broken(database: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy(bucket, database, monkeypatch)
    database.execute(_BROKEN)
    take(database, bucket.store(), tier=Tier.WEEKLY)


def _counted(output: str) -> dict[str, Any]:
    documents = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    (counted,) = [document for document in documents if Metric.RESTORE_SUCCESS in document]
    return dict(counted)


def _logged(output: str, message: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    (found,) = [line for line in lines if line.get("message") == message]
    return dict(found)


@pytest.mark.parametrize("new", [True, False], ids=["new", "over"])
def test_it_is_a_failed_restore(database: Database, capsys: pytest.CaptureFixture[str], *, new: bool) -> None:
    target = f"{database.name}_staging" if new else database.name
    database.execute("DELETE FROM item")
    log_here()
    try:
        with pytest.raises(RestoreIncompleteError, match=r"INDEX public\.loud \(relation .gone. does not exist"):
            _invoke(to=target, confirm=target, database=database.name, tier="weekly")
        assert database.server.value("SELECT count(*) FROM item", target) == (3 if new else 0)
    finally:
        if new:
            database.server.execute(f'DROP DATABASE IF EXISTS "{target}"')

    output = capsys.readouterr().out
    counted = _counted(output)
    assert metric_dimensions("test", target, Tier.WEEKLY).items() <= counted.items()
    assert (counted[Metric.RESTORE_SUCCESS], counted[Metric.RESTORE_FAILURE]) == ([0], [1])
    (told,) = notices(output)
    assert (told["kind"], told["outcome"], told["database"]) == ("restore", "failed", target)
    assert told["failure"]["error"] == "restore-incomplete"
    assert new or '"accept_incomplete": true' in told["failure"]["action"]
    (missing,) = _logged(output, "restore incomplete" if new else "restore failed")["failures"]
    assert missing["statement"] == _INDEX


def test_accepted_by_name_it_replaces_the_database_and_says_what_is_missing(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    database.execute("DELETE FROM item")
    answer = _invoke(to=database.name, confirm=database.name, tier="weekly", accept_incomplete=True)
    try:
        assert answer["status"] == "incomplete"
        assert [failure["statement"] for failure in answer["failures"]] == [_INDEX]
        assert database.server.value("SELECT count(*) FROM item", database.name) == 3
        assert database.server.value("SELECT count(*) FROM item", answer["old_database"]) == 0
    finally:
        database.server.execute(f'DROP DATABASE "{answer["old_database"]}"')
    assert _counted(capsys.readouterr().out)[Metric.RESTORE_FAILURE] == [0]
