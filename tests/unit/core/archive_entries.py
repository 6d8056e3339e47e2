"""Entries of an archive as a test needs them."""

from __future__ import annotations

from typing import Any

from dbbackup.core.archive_toc import Entry, Section, TableOfContents

_DATA = ("TABLE DATA", "BLOBS", "SEQUENCE SET")
_POST_DATA = (
    "INDEX",
    "FK CONSTRAINT",
    "CONSTRAINT",
    "TRIGGER",
    "EVENT TRIGGER",
    "MATERIALIZED VIEW DATA",
    "PUBLICATION",
)
_NONE = ("ACL", "COMMENT", "SECURITY LABEL")


def entry(dump_id: int, kind: str, tag: str = "thing", **more: Any) -> Entry:
    """One entry; of its section what pg_dump gives its kind."""
    section = Section.PRE_DATA
    for one, kinds in ((Section.DATA, _DATA), (Section.POST_DATA, _POST_DATA), (Section.NONE, _NONE)):
        if kind in kinds:
            section = one
    usual = {"catalog": 0, "oid": 0, "schema": "", "owner": "", "section": section}
    return Entry(dump_id=dump_id, kind=kind, tag=tag, **{**usual, **more})


def contents(*entries: Entry, version: str = "18.6") -> TableOfContents:
    """An archive that holds these."""
    return TableOfContents(entries, server_version=version)
