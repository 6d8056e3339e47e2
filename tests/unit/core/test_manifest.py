from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import TableCount, parse_manifest
from tests.support.backups import manifest_of

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63)
TABLES = st.builds(
    TableCount,
    oid=st.integers(1, 2**32 - 1),
    schema_name=NAMES,
    table=NAMES,
    rows=st.integers(0, 2**63),
    exact=st.booleans(),
    bytes=st.integers(0, 2**63),
)


@given(NAMES, st.lists(TABLES, max_size=3))
def test_a_manifest_comes_back_as_it_was_written(database: str, tables: list[TableCount]) -> None:
    written = manifest_of(database).model_copy(update={"tables": tuple(tables)})
    read = parse_manifest("key", written.to_bytes())
    assert read == written
    assert read.total_rows == sum(table.rows for table in tables)


def _changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(manifest_of().to_bytes()), **changes}).encode()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "the document"),
        (b"not json", "the document"),
        (b"\xff\xfe", "the document"),
        (manifest_of().to_bytes()[:-20], "the document"),
        (_changed(format_version=2), "format_version"),
        (_changed(surprise=1), "surprise"),
        (_changed(snapshot_at="2025-01-11T02:00:00"), "snapshot_at"),
        (_changed(archive={"key": "k", "size_bytes": 0, "sha256": "0" * 64, "compression": "gzip:9"}), "archive.size"),
        (_changed(archive={"key": "k", "size_bytes": 1, "sha256": "abc", "compression": "gzip:9"}), "archive.sha256"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_with_the_place(body: bytes, place: str) -> None:
    with pytest.raises(VerificationFailedError, match="manifest s3://b/k cannot be read") as failure:
        parse_manifest("s3://b/k", body)
    assert f"read: {place}" in failure.value.what
    assert "dbbackup verify" in failure.value.action


def test_the_name_of_a_backup_follows_from_its_manifest() -> None:
    manifest = manifest_of("shop")
    assert manifest.backup_id.file_name == manifest.archive.key
