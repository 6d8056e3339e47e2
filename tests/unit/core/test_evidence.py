"""Evidence is chained: what was altered or removed shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.evidence import Check, Evidence, Plane, Stored, chain_problems, parse_evidence

START = datetime(2026, 1, 1, 4, 0, tzinfo=UTC)


def _plane(**changes: Any) -> Plane:
    values: dict[str, Any] = {
        "kind": "dump",
        "restored_from": "s3://bucket/daily/x.dump",
        "restored_into": "x__dbbackup_drill_00000000",
        "recovery_point": START - timedelta(hours=2),
        "recovery_point_age_seconds": 7200,
        "recovery_seconds": 12.5,
        "tables": 3,
        "rows": 100,
        "checks": (Check(name="tables", expected="3", found="3", passed=True),),
        "removed": True,
    }
    return Plane(**{**values, **changes})


def _evidence(number: int, before: Stored | None, **changes: Any) -> Stored:
    values: dict[str, Any] = {
        "database": "ftry",
        "started_at": START + timedelta(days=number),
        "finished_at": START + timedelta(days=number, minutes=1),
        "planes": (_plane(),),
        "software_version": "1",
        "previous_key": before.key if before else None,
        "previous_digest": before.digest if before else None,
    }
    evidence = Evidence(**{**values, **changes})
    return Stored(evidence.key, evidence, evidence.digest())


def _chain(length: int) -> list[Stored]:
    chain: list[Stored] = []
    for number in range(length):
        chain.append(_evidence(number, chain[-1] if chain else None))
    return chain


def test_an_untouched_chain_has_no_problems() -> None:
    assert chain_problems(_chain(4)) == []
    assert chain_problems([]) == []


def test_a_document_survives_being_stored() -> None:
    stored = _chain(1)[0]

    assert parse_evidence(stored.key, stored.evidence.to_bytes()) == stored


def test_a_document_of_an_earlier_version_keeps_its_digest_and_names_its_databases() -> None:
    body = json.loads(_evidence(0, None, database="ftry, orders").evidence.to_bytes())
    assert "server" not in body
    assert "databases" not in body
    stored = parse_evidence("evidence/x.json", json.dumps(body).encode())
    # What that version computed of the same document.
    assert stored.evidence.digest() == "a0a847f204e518a5ef621dd86176c8354de86ea6d8850116eab13d79de01e2ad"
    assert stored.evidence.names == ("ftry", "orders")


def test_an_altered_document_is_named() -> None:
    chain = _chain(3)
    body = chain[1].evidence.to_bytes().replace(b'"rows": 100', b'"rows": 101')
    chain[1] = parse_evidence(chain[1].key, body)

    assert chain_problems(chain) == [f"{chain[1].key} was altered: its content does not have its digest"]


def test_a_forged_document_with_a_digest_of_its_own_breaks_the_chain_behind_it() -> None:
    chain = _chain(3)
    chain[1] = _evidence(1, chain[0], planes=(_plane(rows=101),))

    assert chain_problems(chain) == [f"{chain[2].key} follows {chain[1].key}, and was chained to {chain[1].key}"]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_document_is_named(missing: int) -> None:
    chain = _chain(4)
    removed = chain.pop(missing)

    assert chain_problems(chain) == [f"{removed.key}, the one before {chain[missing].key}, is missing"]


def test_a_document_under_another_key_is_named() -> None:
    chain = _chain(2)
    moved = Stored("evidence/rehearsal_20300101_000000.json", chain[1].evidence, chain[1].digest)

    assert f"{moved.key} is of another time: it belongs under {chain[1].key}" in chain_problems([chain[0], moved])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"digest": "x", "passed": true}', b"\xff\xfe", b'{"digest": 1, "passed": 1, "a": 2}']
)
def test_what_is_not_evidence_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(VerificationFailedError, match=r"The evidence evidence/x\.json cannot be read"):
        parse_evidence("evidence/x.json", body)


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"failure": "the server refused"}, False),
        ({"planes": ()}, False),
        ({"planes": (_plane(removed=False),)}, False),
        ({"planes": (_plane(checks=(Check(name="q", expected="true", found="0", passed=False),)),)}, False),
    ],
)
def test_a_rehearsal_has_passed_only_if_all_of_it_has(changes: dict[str, Any], passed: bool) -> None:
    assert _evidence(0, None, **changes).evidence.passed is passed
