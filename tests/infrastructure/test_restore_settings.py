"""Settings of restores: what is accepted, and what is refused before anything is synthesized."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.settings.refusal import SettingsError
from tests.infrastructure.synthesis import settings_of
from tests.infrastructure.test_real_cases import EXISTING_INSTANCE

TABLE = {"database": "ftry", "table": "public.orders", "timestamp_column": "created_at"}


def test_nothing_needs_to_be_said() -> None:
    restore = settings_of("prod").restore
    assert (restore.time_limit_minutes, restore.rename_limit_minutes, restore.objective_minutes) == (360, 30, 120)
    assert not restore.keep_failed_instance
    assert restore.verify_tables == ()


@pytest.mark.parametrize("table", ["orders", "public.orders", "Größe", "my schema.my table"])
def test_names_of_tables(table: str) -> None:
    (found,) = settings_of("prod", restore__verify_tables=[{**TABLE, "table": table}]).restore.verify_tables
    assert found.table == table


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("restore__verify_tables", [{**TABLE, "database": "audit"}], "one of database.names"),
        ("restore__verify_tables", [{**TABLE, "table": "a.b.c"}], "schema.table"),
        ("restore__verify_tables", [{**TABLE, "table": 'a"b'}], "without quotes"),
        ("restore__verify_tables", [{**TABLE, "timestamp_column": "a.b"}], "one name"),
        ("restore__verify_tables", [{"database": "ftry", "table": "orders"}], "timestamp_column"),
        ("restore__time_limit_minutes", 10, "30 to 2880"),
        ("restore__rename_limit_minutes", 1, "5 to 120"),
        ("restore__objective_minutes", 0, "15 to 2880"),
        ("restore__log_retention_days", 8, "CloudWatch Logs offers"),
        ("restore__keep", True, "only known settings"),
    ],
)
def test_refused(path: str, value: Any, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings_of("prod", **{path: value})


@pytest.mark.parametrize(("name", "value"), [("storage_key_arn", "alias/db"), ("monitoring_role_arn", "monitoring")])
def test_arns_of_an_existing_instance(name: str, value: str) -> None:
    existing = {**EXISTING_INSTANCE, name: value}
    with pytest.raises(SettingsError, match=name):
        settings_of(
            "prod",
            database__new_instance=None,
            database__existing_instance=existing,
            database__names=["ftry"],
            backup__client_major=18,
        )
