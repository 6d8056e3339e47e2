"""The temporary instance of a rehearsal, and what the state of an execution says as evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbbackup.contract_rehearsal import plane_result
from dbbackup.core.errors import InvalidRequestError, RefusedError
from dbbackup.core.evidence import Evidence
from dbbackup.core.pitr_names import LONGEST, identifier_rule
from dbbackup.core.rehearsal_evidence import evidence_of, problems_of
from dbbackup.core.rehearsal_plan import check_host, is_temporary, rehearsal_target, temporary

START = datetime(2026, 1, 1, 6, 0, 30, tzinfo=UTC)
TARGET = "ftry-prod-rehearsal-20260101060030"


def _plane(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "restored_from": "ftry-prod",
        "restored_into": TARGET,
        "recovery_point": "2026-01-01T05:55:00Z",
        "recovery_point_age_seconds": 330,
        "recovery_seconds": 1200,
        "tables": 1,
        "rows": 5,
        "checks": [{"name": "tables", "expected": "1", "found": "1", "passed": True}],
        "removed": False,
        **changes,
    }


def _state(**changes: Any) -> dict[str, Any]:
    return {
        plane_result(0): {"plane": _plane("point-in-time")},
        plane_result(1): {"plane": _plane("dump")},
        "gone": {"done": True, "gone": True, "said": ""},
        **changes,
    }


def _evidence(state: dict[str, Any], *failures: str, databases: list[str] | None = None) -> Evidence:
    return evidence_of(
        state,
        server="ftry-prod",
        databases=databases or ["ftry"],
        started=START,
        finished=START + timedelta(hours=1),
        failures=failures,
        unmatched=None,
        software_version="1",
        template_version="t",
    )


@pytest.mark.parametrize(
    ("production", "expected"),
    [
        ("ftry-prod", TARGET),
        ("a" * 38, f"{'a' * 38}-rehearsal-20260101060030"),
        ("a" * 40, f"{'a' * 40}-rehearsal-202601010600"),
        ("a" * 42, f"{'a' * 42}-rehearsal-2026010106"),
    ],
)
def test_the_name_holds_the_time_as_far_as_it_fits(production: str, expected: str) -> None:
    name = rehearsal_target(production, START)
    assert name == expected
    assert identifier_rule(name) is None
    assert len(name) <= LONGEST


def test_a_name_without_room_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="leaves no room"):
        rehearsal_target("a" * 43, START)


def test_a_temporary_instance_differs_from_a_restored_one() -> None:
    tags = [{"Key": "dbbackup:role", "Value": "restored"}, {"Key": "dbbackup:execution", "Value": "e1"}]
    found = temporary({"MultiAZ": True, "EnableCloudwatchLogsExports": ["postgresql"], "Port": 1, "Tags": tags})
    assert found == {
        "MultiAZ": False,
        "PubliclyAccessible": False,
        "DeletionProtection": False,
        "Port": 1,
        "Tags": [tags[1], {"Key": "dbbackup:role", "Value": "rehearsal"}],
    }
    assert is_temporary({"TagList": found["Tags"]}, execution="e1")
    assert not is_temporary({"TagList": found["Tags"]}, execution="e2")
    assert not is_temporary({"TagList": tags}, execution="e1")
    assert not is_temporary({})


def test_the_endpoint_of_the_temporary_instance_is_let_through() -> None:
    host = f"{TARGET}.abc.us-east-1.rds.amazonaws.com"
    assert check_host(host, target=TARGET, production="ftry-prod", production_host="ftry-prod.abc") == host


def test_a_target_that_is_not_a_rehearsal_s_is_refused() -> None:
    with pytest.raises(RefusedError, match="is not the endpoint"):
        check_host("ftry-prod-old.abc", target="ftry-prod-old", production="ftry-prod", production_host="x")
    with pytest.raises(RefusedError, match="is the production instance"):
        check_host(f"{TARGET}.abc", target=TARGET, production="ftry-prod", production_host=f"{TARGET}.ABC.")


def test_evidence_of_several_databases_names_each() -> None:
    several = _evidence(_state(plane_2={"plane": _plane("dump")}), databases=["ftry", "a, b"])
    assert several.passed
    assert (several.server, several.names, several.database) == ("ftry-prod", ("ftry", "a, b"), "ftry, a, b")
    one = _evidence(_state(), databases=["a, b"])
    assert one.names == ("a, b",)


def test_everything_held() -> None:
    evidence = _evidence(_state())
    assert evidence.passed
    assert [plane.kind for plane in evidence.planes] == ["point-in-time", "dump"]
    assert problems_of(evidence) == []


def test_a_plane_that_is_missing_is_a_failure_even_without_a_reason() -> None:
    state = _state()
    del state[plane_result(1)]
    evidence = _evidence(state)
    assert not evidence.passed
    assert evidence.failure == "1 of 2 planes were not rehearsed"


@pytest.mark.parametrize("gone", [None, {}, {"done": True, "gone": False, "said": "x"}])
def test_what_may_still_be_there_does_not_pass(gone: dict[str, Any] | None) -> None:
    evidence = _evidence(_state(gone=gone))
    assert not evidence.passed
    assert f"dump: {TARGET} may still be there." in problems_of(evidence)


def test_a_failure_is_cut_to_what_is_worth_keeping() -> None:
    evidence = _evidence(_state(), "a" * 5000)
    assert len(str(evidence.failure)) == 2000
    assert not evidence.passed
