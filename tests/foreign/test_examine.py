"""A dump read to its end by ourselves, before pg_restore sees it."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from dbbackup.core.errors import VerificationFailedError
from dbbackup.operations.foreign_check import examine
from tests.foreign.dumps import RECORDED


@pytest.mark.parametrize("name", ["12.custom", "16.custom"])
def test_an_archive_in_custom_format_cut_at_any_byte_is_damaged(name: str, tmp_path: Path) -> None:
    whole = (RECORDED / name).read_bytes()
    contents = examine(RECORDED / name, name).contents
    between_blocks = [entry.position for entry in contents.items if entry.position]
    assert between_blocks
    for size in (*range(11, len(whole), 13), *between_blocks):
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        with pytest.raises(VerificationFailedError, match="damaged or incomplete"):
            examine(path, "cut")


@pytest.mark.parametrize("name", ["12.tar.gz", "16.tar.gz"])
def test_a_tar_file_without_one_of_its_members_is_damaged(name: str, tmp_path: Path) -> None:
    body = gzip.decompress((RECORDED / name).read_bytes())
    with tarfile.open(fileobj=io.BytesIO(body)) as whole:
        members = [(member, whole.extractfile(member)) for member in whole.getmembers()]
        for left_out, _ in members[1:]:
            path = tmp_path / "without"
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as some:
                for member, file in members:
                    if member is not left_out and file is not None:
                        file.seek(0)
                        some.addfile(member, file)
            with pytest.raises(VerificationFailedError, match=left_out.name):
                examine(path, "without")
