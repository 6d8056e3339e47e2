"""What the doctor makes of facts that no server on this machine has."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dbbackup.core.doctor import Check, Status, examine, failed, fine, to_do, warning
from dbbackup.core.doctor_bucket import key_finding, trait_finding
from dbbackup.core.doctor_machine import clock_finding, scratch_finding, space_finding, version_finding
from dbbackup.core.doctor_ports import Part, ServerLook, Setting, Trait
from dbbackup.core.doctor_server import replication_finding, rights_finding, schema_of, tls_finding
from dbbackup.core.errors import StorageError

MIB = 2**20
LOOK = ServerLook(
    version="18.6",
    version_num=180006,
    host="db.example.com",
    encrypted=True,
    sslmode="verify-full",
    standby=False,
    feedback=False,
    idle_slots=(),
    skew_seconds=0,
    database_bytes=100 * MIB,
    user='re"ader',
    superuser=False,
)


def look(**changes: Any) -> ServerLook:
    return dataclasses.replace(LOOK, **changes)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.OK),
        ({"sslmode": "verify-ca"}, Status.WARNING),
        ({"sslmode": "require"}, Status.WARNING),
        ({"sslmode": "prefer", "encrypted": False}, Status.WARNING),
        ({"sslmode": "prefer", "encrypted": False, "host": "127.0.0.1"}, Status.OK),
        ({"sslmode": "prefer", "encrypted": False, "host": "::1"}, Status.OK),
        ({"sslmode": "prefer", "encrypted": False, "host": "localhost"}, Status.OK),
        ({"sslmode": "prefer", "encrypted": False, "host": "/run/postgresql"}, Status.OK),
        ({"sslmode": "prefer", "encrypted": False, "host": "10.0.0.1"}, Status.WARNING),
    ],
)
def test_less_than_a_verified_certificate_is_told_of_where_it_leaves_the_machine(
    changes: dict[str, Any], status: Status
) -> None:
    assert tls_finding(look(**changes)).status is status


@pytest.mark.parametrize(("skew", "status"), [(0, "ok"), (300, "ok"), (301, "failed"), (-301, "failed")])
def test_five_minutes_are_the_limit_of_a_clock(skew: float, status: str) -> None:
    assert clock_finding(skew, "AWS's clock").status == status


def test_a_clock_is_said_to_be_before_or_behind() -> None:
    assert "behind AWS's clock" in clock_finding(600, "AWS's clock").found
    assert "ahead of AWS's clock" in clock_finding(-600, "AWS's clock").found


@pytest.mark.parametrize(
    ("free", "newest", "status"),
    [
        (9, None, "failed"),
        (99, None, "warning"),
        (100, None, "ok"),
        (19, 20, "failed"),
        (39, 20, "warning"),
        (40, 20, "ok"),
    ],
)
def test_room_is_measured_by_the_newest_backup_else_by_the_database(free: int, newest: int | None, status: str) -> None:
    size = None if newest is None else newest * MIB
    assert space_finding(free * MIB, database=100 * MIB, newest=size, where="backups").status == status


@pytest.mark.parametrize(
    ("free", "newest", "status"), [(0, None, "failed"), (1, None, "ok"), (19, 20, "failed"), (40, 20, "ok")]
)
def test_room_is_judged_where_nobody_can_ask_the_server_for_the_size(
    free: int, newest: int | None, status: str
) -> None:
    assert space_finding(free, database=None, newest=newest, where="backups").status == status


def test_a_restore_needs_room_for_the_download() -> None:
    assert scratch_finding(9, 10, "/tmp").status is Status.WARNING
    assert scratch_finding(10, 10, "/tmp").status is Status.OK


@pytest.mark.parametrize(("client", "server", "status"), [(17, 18, "failed"), (18, 18, "ok"), (18, 17, "ok")])
def test_a_client_may_be_newer_and_not_older(client: int, server: int, status: str) -> None:
    assert version_finding(str(client), client, str(server), server).status == status


def test_before_version_14_every_schema_has_its_own_grant() -> None:
    old = look(version_num=130000)
    tables = rights_finding(Part.TABLES, ('"a.b".t', "public.u", "public.v"), old).action
    assert tables.count("GRANT") == 2
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA "a.b" TO "re""ader";' in tables
    assert 'GRANT USAGE ON SCHEMA hidden TO "re""ader";' in rights_finding(Part.SCHEMAS, ("hidden",), old).action


@pytest.mark.parametrize(
    ("name", "schema"), [("public.t", "public"), ('"a.b"."c.d"', '"a.b"'), ('"a"".b".t', '"a"".b"')]
)
def test_the_schema_of_a_name_is_found_whatever_is_in_it(name: str, schema: str) -> None:
    assert schema_of(name) == schema


def test_many_names_are_not_all_shown() -> None:
    assert "a, b, c and 2 more" in rights_finding(Part.TABLES, ("a", "b", "c", "d", "e"), LOOK).found


def test_subscriptions_that_a_dump_leaves_out_are_a_warning() -> None:
    assert rights_finding(Part.SUBSCRIPTIONS, ("s",), LOOK).status is Status.WARNING


def test_a_standby_that_ends_long_queries_is_a_warning() -> None:
    assert replication_finding(look(standby=True)).status is Status.WARNING
    assert replication_finding(look(standby=True, feedback=True)).status is Status.OK


def test_what_may_not_be_looked_at_is_not_taken_for_missing() -> None:
    finding = trait_finding(Trait.VERSIONING, Setting(denied="s3:GetBucketVersioning"), "b")
    assert finding.status is Status.WARNING
    assert "s3:GetBucketVersioning" in finding.action


def test_a_key_that_cannot_be_used_is_said_to_take_every_backup_with_it() -> None:
    assert "NO backup" in key_finding("its state is Disabled").action


def test_a_check_that_needs_a_skipped_one_is_skipped_as_well_and_a_warning_stops_nothing() -> None:
    def breaks() -> Any:
        raise StorageError("It is broken.", action="Mend it.")

    results = examine(
        [
            Check("warned", lambda: warning("w", "better")),
            Check("after a warning", lambda: fine("x"), ("warned",)),
            Check("broken", breaks),
            Check("second", lambda: fine("x"), ("broken",)),
            Check("third", lambda: fine("x"), ("second",)),
            Check("other", lambda: failed("y", "Mend it.")),
        ]
    )
    assert [result.status.value for result in results] == ["warning", "ok", "failed", "skipped", "skipped", "failed"]
    assert results[2].finding.found == "It is broken."
    assert to_do(results, Status.FAILED) == (("broken, other", "Mend it."),)
