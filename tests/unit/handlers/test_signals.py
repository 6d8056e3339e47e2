from __future__ import annotations

import json
from typing import Any

import pytest

from dbbackup.contract import METRICS_NAMESPACE, Metric, Tier, metric_dimensions
from dbbackup.core.manifest import TableCount
from dbbackup.handlers.signals import UNKNOWN, Signals
from tests.support.backups import manifest_of


def _emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    document = json.loads(lines[0])
    assert isinstance(document, dict)
    return document


def _directive(document: dict[str, Any]) -> dict[str, Any]:
    (only,) = document["_aws"]["CloudWatchMetrics"]
    assert isinstance(only, dict)
    return only


def _units(document: dict[str, Any]) -> dict[str, str]:
    return {metric["Name"]: metric["Unit"] for metric in _directive(document)["Metrics"]}


def _values(document: dict[str, Any]) -> dict[str, float]:
    return {name: document[name][0] for name in _units(document)}


def test_a_success_has_exactly_the_dimensions_that_alarms_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").succeeded(manifest_of("shop"), 12.5)
    document = _emitted(capsys)
    expected = metric_dimensions("prod", "shop", Tier.DAILY)
    (names,) = _directive(document)["Dimensions"]
    assert set(names) == set(expected)
    assert {name: document[name] for name in names} == expected
    assert _directive(document)["Namespace"] == METRICS_NAMESPACE


def test_a_success_reports_every_metric_with_its_unit(capsys: pytest.CaptureFixture[str]) -> None:
    rows = TableCount(oid=1, schema_name="public", table="item", rows=42, exact=True, bytes=8192)
    manifest = manifest_of("shop").model_copy(update={"tables": (rows,)})
    Signals("prod", "shop", "daily").succeeded(manifest, 12.5)
    document = _emitted(capsys)
    assert _units(document) == {
        Metric.BACKUP_SUCCESS: "Count",
        Metric.BACKUP_FAILURE: "Count",
        Metric.BACKUP_SIZE: "Bytes",
        Metric.BACKUP_DURATION: "Seconds",
        Metric.DATABASE_SIZE: "Bytes",
        Metric.BACKUP_LAST_SUCCESS: "Seconds",
        Metric.BACKUP_THROUGHPUT: "Bytes/Second",
        Metric.BACKUP_ROWS: "Count",
        Metric.VERIFICATION_FAILURE: "Count",
    }
    assert _values(document) == {
        Metric.BACKUP_SUCCESS: 1,
        Metric.BACKUP_FAILURE: 0,
        Metric.BACKUP_SIZE: manifest.archive.size_bytes,
        Metric.BACKUP_DURATION: 12.5,
        Metric.DATABASE_SIZE: manifest.source.database_size_bytes,
        Metric.BACKUP_LAST_SUCCESS: manifest.finished_at.timestamp(),
        Metric.BACKUP_THROUGHPUT: 8_000_000 / 1.5,
        Metric.BACKUP_ROWS: 42,
        Metric.VERIFICATION_FAILURE: 0,
    }


def test_a_dump_too_short_to_be_timed_has_no_throughput(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").succeeded(manifest_of("shop").model_copy(update={"dump_seconds": 0}), 0)
    assert Metric.BACKUP_THROUGHPUT not in _values(_emitted(capsys))


def test_a_size_is_told_beside_that_of_the_backup_before(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").compared(manifest_of("shop", size_bytes=3), manifest_of("shop", size_bytes=12))
    document = _emitted(capsys)
    assert _units(document) == {Metric.BACKUP_SIZE_RATIO: "None"}
    assert _values(document) == {Metric.BACKUP_SIZE_RATIO: 0.25}
    (names,) = _directive(document)["Dimensions"]
    assert {name: document[name] for name in names} == metric_dimensions("prod", "shop", Tier.DAILY)


def test_the_first_backup_has_nothing_to_be_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").compared(manifest_of("shop"), None)
    assert capsys.readouterr().out == ""


def test_only_a_failed_verification_says_something_about_verification(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").failed(verification=True)
    document = _emitted(capsys)
    assert _values(document) == {
        Metric.BACKUP_SUCCESS: 0,
        Metric.BACKUP_FAILURE: 1,
        Metric.VERIFICATION_FAILURE: 1,
    }
    assert set(_units(document).values()) == {"Count"}


def test_a_beginning_is_counted_where_the_verdict_will_be(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "weekly").started()
    document = _emitted(capsys)
    assert _values(document) == {Metric.BACKUP_STARTED: 1}
    (names,) = _directive(document)["Dimensions"]
    assert {name: document[name] for name in names} == metric_dimensions("prod", "shop", Tier.WEEKLY)


def test_a_restore_tells_its_end_and_its_duration(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals("prod", "shop", "weekly")
    signals.restored(7.5)
    document = _emitted(capsys)
    assert _units(document) == {
        Metric.RESTORE_SUCCESS: "Count",
        Metric.RESTORE_FAILURE: "Count",
        Metric.RESTORE_DURATION: "Seconds",
    }
    assert _values(document) == {
        Metric.RESTORE_SUCCESS: 1,
        Metric.RESTORE_FAILURE: 0,
        Metric.RESTORE_DURATION: 7.5,
    }
    signals.not_restored()
    assert _values(_emitted(capsys)) == {Metric.RESTORE_SUCCESS: 0, Metric.RESTORE_FAILURE: 1}


@pytest.mark.parametrize("tier", Tier)
def test_a_failure_counts_in_the_same_dimensions(tier: Tier, capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", tier.value).failed()
    document = _emitted(capsys)
    (names,) = _directive(document)["Dimensions"]
    assert {name: document[name] for name in names} == metric_dimensions("prod", "shop", tier)
    assert _values(document) == {Metric.BACKUP_SUCCESS: 0, Metric.BACKUP_FAILURE: 1}


def test_a_failure_before_anything_is_known_is_counted_too(capsys: pytest.CaptureFixture[str]) -> None:
    Signals(UNKNOWN, UNKNOWN, UNKNOWN).failed()
    document = _emitted(capsys)
    assert document["Database"] == document["Tier"] == document["Environment"] == UNKNOWN
    assert _values(document)[Metric.BACKUP_FAILURE] == 1


def test_runs_in_one_warm_function_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    Signals("prod", "shop", "daily").failed()
    _emitted(capsys)
    Signals("prod", "other", "weekly").failed()
    document = _emitted(capsys)
    (names,) = _directive(document)["Dimensions"]
    assert {name: document[name] for name in names} == metric_dimensions("prod", "other", Tier.WEEKLY)
    assert document["BackupFailure"] == [1.0]
