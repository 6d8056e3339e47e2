"""The scripts of many entries, from few runs of pg_restore: one for each of thousands takes minutes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbbackup.core.archive_toc import Entry
from dbbackup.core.entry_script import split_entries
from dbbackup.core.needed_roles import ACL_KINDS
from dbbackup.core.restore_ports import RestoringTools
from dbbackup.operations.filling import Filling

_AFTER_GRANTS = ("EVENT TRIGGER", "MATERIALIZED VIEW DATA")


def entry_scripts(filling: Filling, numbers: Iterable[int], tools: RestoringTools) -> dict[int, bytes]:
    """The scripts by the entry's number, of entries without data; some may be missing and are to be asked for singly.

    Raises:
        VerificationFailedError: the archive cannot be read to its end.
    """
    entries = [filling.contents.by_id[number] for number in numbers]
    without_data = [entry for entry in entries if entry.definition and not entry.has_data and not entry.copy]
    # pg_restore comes to grants after the rest, and to these last: RestorePass in PostgreSQL's pg_backup_archiver.h.
    last = [entry for entry in without_data if entry.kind in _AFTER_GRANTS]
    grants = [entry for entry in without_data if entry.kind in ACL_KINDS]
    rest = [entry for entry in without_data if entry.kind not in (*_AFTER_GRANTS, *ACL_KINDS)]
    found: dict[int, bytes] = {}
    for group in (rest, grants, last):
        found |= _scripts(filling, group, tools)
    return found


def _scripts(filling: Filling, entries: Sequence[Entry], tools: RestoringTools) -> dict[int, bytes]:
    if len(entries) < 2:
        return {}
    numbers, codec = [entry.dump_id for entry in entries], filling.contents.encoding
    with tools.script(filling.archive, numbers, filling.options, tablespaces=not filling.plan.no_tablespaces) as chunks:
        script = b"".join(chunks)
    definitions = [entry.definition.encode(codec, "surrogateescape") for entry in entries]
    split = split_entries(script, definitions)
    if split is not None:
        return dict(zip(numbers, split, strict=True))
    middle = len(entries) // 2
    return _scripts(filling, entries[:middle], tools) | _scripts(filling, entries[middle:], tools)
