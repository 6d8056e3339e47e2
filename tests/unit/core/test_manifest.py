from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.manifest import TableCount, parse_manifest
from dbbackup.core.manifest_names import printable
from tests.support.backups import manifest_of

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63)
# Of a database without an encoding, any bytes but zero.
RAW_NAMES = st.binary(min_size=1, max_size=63).map(
    lambda name: name.replace(b"\0", b"0").decode("utf-8", "surrogateescape")
)
TABLES = st.builds(
    TableCount,
    oid=st.integers(1, 2**32 - 1),
    schema_name=RAW_NAMES,
    table=RAW_NAMES,
    rows=st.integers(0, 2**63),
    exact=st.booleans(),
    bytes=st.none() | st.integers(0, 2**63),
)


@given(NAMES, st.lists(TABLES, max_size=3))
def test_a_manifest_comes_back_as_it_was_written(database: str, tables: list[TableCount]) -> None:
    written = manifest_of(database).model_copy(update={"tables": tuple(tables)})
    read = parse_manifest("key", written.to_bytes(), written.archive.key)
    assert read == written
    assert read.total_rows == sum(table.rows for table in tables)


def test_a_name_that_is_no_text_is_written_as_json_that_others_can_read() -> None:
    table = TableCount(oid=1, schema_name="public", table="caf\udce9", rows=1)
    body = manifest_of().model_copy(update={"tables": (table,)}).to_bytes()
    assert json.loads(body)["tables"][0]["table"] == "caf\0e9"
    assert printable("caf\udce9 ä \\") == "caf\\xe9 ä \\"


def test_a_manifest_of_before_is_read() -> None:
    before = {"oid": 1, "schema_name": "public", "table": "t", "rows": 5, "exact": False, "bytes": 8192}
    (table,) = parse_manifest("key", _manifest(tables=[before], objects={"indexes": 3}), "k.dump").tables
    assert (table.rows, table.exact, table.counted_in_server) == (5, False, True)


def _manifest(**changes: Any) -> bytes:
    return json.dumps({**json.loads(manifest_of().to_bytes()), **changes}).encode()


def _archive(**changes: Any) -> dict[str, Any]:
    return {"key": "k", "size_bytes": 1, "sha256": "0" * 64, "compression": "gzip:9", **changes}


def _cut_off() -> bytes:
    return manifest_of().to_bytes()[:-20]


# Functions, not documents: a document holds the moment it was made, and an id that holds it as well is another one in
# each worker of the run, which ends it.
@pytest.mark.parametrize(
    ("document", "place"),
    [
        pytest.param(lambda: b"", "the document", id="nothing"),
        pytest.param(lambda: b"not json", "the document", id="no JSON"),
        pytest.param(lambda: b"\xff\xfe", "the document", id="no UTF-8"),
        pytest.param(_cut_off, "the document", id="cut off"),
        pytest.param(lambda: _manifest(format_version=2), "format_version", id="of a later format"),
        pytest.param(lambda: _manifest(surprise=1), "surprise", id="an unknown field"),
        pytest.param(lambda: _manifest(snapshot_at="2025-01-11T02:00:00"), "snapshot_at", id="a time without a zone"),
        pytest.param(lambda: _manifest(archive=_archive(size_bytes=0)), "archive.size", id="an empty archive"),
        pytest.param(lambda: _manifest(archive=_archive(sha256="abc")), "archive.sha256", id="a short digest"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_with_the_place(document: Callable[[], bytes], place: str) -> None:
    with pytest.raises(VerificationFailedError, match="manifest s3://b/k cannot be read") as failure:
        parse_manifest("s3://b/k", document(), "k.dump")
    assert f"read: {place}" in failure.value.what
    assert "dbbackup verify" in failure.value.action


def test_the_name_of_a_backup_follows_from_its_manifest() -> None:
    manifest = manifest_of("shop")
    assert manifest.backup_id.file_name == manifest.archive.key
