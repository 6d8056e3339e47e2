"""What a file is, told by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.archive_kind import Cover, Form, Stranger, recognize

HEADER = "--\n-- PostgreSQL database dump\n--\n\n"
CUSTOM = b"PGDMP\x01\x10\x00\x04\x08\x01\x01"


def _tar(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            tar.addfile(member)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (CUSTOM, Form.CUSTOM),
        (_tar("toc.dat", "1.dat", "restore.sql"), Form.TAR),
        (HEADER.encode(), Form.SCRIPT),
        (b"\xef\xbb\xbf" + HEADER.encode(), Form.SCRIPT),
        (HEADER.replace("\n", "\r\n").encode(), Form.SCRIPT),
        (b"\n\n/* ours */ -- by hand\nSET statement_timeout = 0;\n", Form.SCRIPT),
        (b"create table t();", Form.SCRIPT),
        (gzip.compress(b"x"), Cover.GZIP),
        (bz2.compress(b"x"), Cover.BZIP2),
        (lzma.compress(b"x"), Cover.XZ),
        (b"\x28\xb5\x2f\xfd\x00", Cover.ZSTD),
    ],
    ids=lambda value: value.value if isinstance(value, Form | Cover) else "",
)
def test_a_dump_and_a_compression_are_told_by_their_beginning(head: bytes, kind: Form | Cover) -> None:
    assert recognize(head) is kind


@pytest.mark.parametrize(
    ("head", "what", "action"),
    [
        (b"", "empty", "Choose another"),
        (b"\n \n", "blank", "Choose another"),
        (b"\0" * 5000, "filled with zeros", "never written"),
        (b"-- MySQL dump 10.13  Distrib 8.0\n", "MySQL", "pgloader"),
        (b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n", "MariaDB", "PostgreSQL"),
        (b"-- phpMyAdmin SQL Dump\n", "MySQL", "PostgreSQL"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "script of SQLite", "PostgreSQL"),
        (b"SQLite format 3\0", "database of SQLite", "PostgreSQL"),
        (b"TAPE\0\0\x03\0", "SQL Server", "PostgreSQL"),
        (b"--\n-- PostgreSQL database cluster dump\n--\n", "pg_dumpall", "psql -f"),
        (HEADER.encode("utf-16"), "UTF-16", "--file=FILE"),
        (HEADER.encode("utf-16-le"), "UTF-16", "iconv"),
        (b"\xff\xfe" + "PGDMP\u0001".encode("utf-16-le"), "turned into text", "cannot be mended"),
        (b"PGDMP\x01\x0e\x00\x04\x08\x01" + b"SET x;\r\n" * 9, "docker exec -t", "without -t"),
        (b"PGDMP\x01\x0e\x00\x04\x08\x03", "table of contents", "folder"),
        (b"PGDM", "no SQL", "another"),
        (b"PGDMP", "cut short in its first bytes", "another"),
        (_tar("dump/", "dump/toc.dat"), "tar file of a folder", "tar xf"),
        (_tar("./", "./toc.dat"), "tar file of a folder", "tar xf"),
        (_tar("dump/toc.dat"), "tar file of a folder", "tar xf"),
        (_tar("backup_label"), "pg_basebackup", "same major"),
        (_tar("holiday.jpg"), "tar file of other things", "Unpack"),
        (b"Salted__12345678", "encrypted by openssl", "Decrypt"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted by PGP", "Decrypt"),
        (b"\x8c\x0d\x04\x09\x03\x02\xa5\x00\xff", "PGP", "Decrypt"),
        (b"age-encryption.org/v1\n", "encrypted by age", "Decrypt"),
        (b"PK\x03\x04", "ZIP", "Unpack"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip", "Unpack"),
        (b"\x04\x22\x4d\x18", "lz4", "lz4 -d"),
        (b"<!DOCTYPE html><html>", "HTML", "Download again"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>', "XML", "download again"),
        (b'{"message": "not found"}', "JSON", "download again"),
        (b"pg_dump: error: connection to server failed\n", "what pg_dump said", "Dump again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
        (b"id,name\n1,a\n", "no SQL (it begins with 'id,name')", "another"),
        (bytes(range(256)) * 9, "no dump that is known", "Ask"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_else_it_is_is_named_with_what_to_do(head: bytes, what: str, action: str) -> None:
    kind = recognize(head)
    assert isinstance(kind, Stranger)
    assert what in kind.what
    assert action in kind.action


@given(
    st.binary(max_size=600)
    | st.sampled_from([CUSTOM, _tar("toc.dat")[:512], HEADER.encode(), b"\xff\xfe", b"\x1f\x8b"]).flatmap(
        lambda start: st.binary(max_size=300).map(lambda rest: start + rest)
    )
)
def test_any_bytes_are_something(head: bytes) -> None:
    kind = recognize(head)
    assert isinstance(kind, Form | Cover) or (kind.what and kind.action)
