from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.contract import Tier
from dbbackup.core.naming import BackupId, archive_key, is_ours, manifest_key, parse_file_name, receipt_key, roles_key

DATABASES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=63)
TIMES = st.datetimes(datetime(1990, 1, 1), timezones=st.timezones())  # noqa: DTZ001 - the zone is drawn
ODD = (
    "a b",
    "it's",
    'say "hi"',
    "line\nbreak",
    "a/b",
    "../../etc/passwd",
    "größe",
    "100%",
    "%2F",
    "x_backup_y",
    ".",
    "数据",
)
MOMENT = datetime(2025, 1, 11, 2, 0, tzinfo=UTC)


@given(DATABASES, st.sampled_from(Tier), TIMES)
def test_a_name_tells_its_database_and_time(database: str, tier: Tier, time: datetime) -> None:
    backup = BackupId(database, tier, time)
    assert parse_file_name(backup.file_name) == (database, backup.time)
    assert parse_file_name(backup.object_key) == (database, backup.time)


@given(DATABASES)
def test_a_name_is_one_plain_component_of_a_path(database: str) -> None:
    name = BackupId(database, Tier.DAILY, MOMENT).file_name
    assert "/" not in name
    assert name.isascii()
    assert name.isprintable()
    assert not set(name) & set(" '\"\\\n")


@pytest.mark.parametrize("database", ODD)
def test_an_odd_name_comes_back(database: str) -> None:
    assert parse_file_name(BackupId(database, Tier.MANUAL, MOMENT).file_name) == (database, MOMENT)


def test_a_plain_name_is_as_the_design_says() -> None:
    backup = BackupId("ftry", Tier.PRE_MIGRATION, MOMENT)
    assert backup.file_name == "ftry_backup_20250111_020000.dump"
    assert backup.object_key == "pre-migration/ftry_backup_20250111_020000.dump"


def test_a_time_of_another_zone_is_filed_in_utc() -> None:
    eastern = datetime(2025, 1, 10, 21, 0, 0, 987_654, tzinfo=timezone(timedelta(hours=-5)))
    assert BackupId("ftry", Tier.DAILY, eastern) == BackupId("ftry", Tier.DAILY, MOMENT)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        BackupId("ftry", Tier.DAILY, datetime(2025, 1, 11, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "ftry_backup_20250111.dump",
        "ftry_backup_20251311_020000.dump",
        "ftry.dump",
        "",
        "_backup_",
        "ftry_backup_20250111_020000.dump.partial",
        "ftry_backup_20250111_020000.manifest.json",
    ],
)
def test_other_names_are_not_taken_for_backups(name: str) -> None:
    assert parse_file_name(name) is None


def test_manifest_and_roles_lie_beside_the_archive() -> None:
    key = "daily/ftry_backup_20250111_020000.dump"
    assert manifest_key(key) == "daily/ftry_backup_20250111_020000.manifest.json"
    assert roles_key(key) == "daily/ftry_backup_20250111_020000.roles.sql"
    assert archive_key(manifest_key(key)) == key


def test_the_files_of_a_backup_are_told_from_others() -> None:
    key = BackupId("ftry", Tier.DAILY, MOMENT).file_name
    assert all(is_ours(name) for name in (key, manifest_key(key), roles_key(key), receipt_key(key)))
    assert not any(is_ours(name) for name in ("film", "notes.dump", f"{key}.rejected", "ftry.manifest.json", ""))
