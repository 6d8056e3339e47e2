"""Evidence in a store: appended, read in order, verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dbbackup.core.errors import VerificationFailedError
from dbbackup.core.evidence import KEPT_DAYS, PREFIX, Evidence, Stored, chain_problems, moment_of, parse_evidence
from dbbackup.core.ports import BackupStore


@dataclass(frozen=True, slots=True)
class Chain:
    """All evidence of a store, oldest first, and what is wrong with it."""

    documents: tuple[Stored, ...]
    problems: tuple[str, ...]


def read_chain(store: BackupStore) -> Chain:
    """Read and verify all evidence.

    Raises:
        StorageError: the store cannot be read.
    """
    documents: list[Stored] = []
    problems: list[str] = []
    for item in sorted(store.under(PREFIX), key=lambda found: found.key):
        if moment_of(item.key) is None:
            problems.append(f"{item.key} is not evidence")
            continue
        with store.read(item.key) as chunks:
            body = b"".join(chunks)
        try:
            documents.append(parse_evidence(item.key, body))
        except VerificationFailedError as error:
            problems.append(error.what)
    return Chain(tuple(documents), (*problems, *chain_problems(documents)))


def append(store: BackupStore, evidence: Evidence) -> Stored:
    """Chain a document to the newest one and store it, locked for a year where the store can lock.

    Raises:
        NameTakenError: another rehearsal has stored one in this moment.
        StorageError: it could not be stored.
    """
    chain = read_chain(store)
    last = chain.documents[-1] if chain.documents else None
    started = evidence.started_at
    if last is not None and last.evidence.started_at.replace(microsecond=0) >= started.replace(microsecond=0):
        started = last.evidence.started_at + timedelta(seconds=1)  # two of the same second keep their order
    # What cannot be read as evidence keeps its name, too.
    taken = {item.key for item in store.under(PREFIX)}
    while evidence.model_copy(update={"started_at": started}).key in taken:
        started += timedelta(seconds=1)
    chained = evidence.model_copy(
        update={
            "started_at": started,
            "previous_key": last.key if last else None,
            "previous_digest": last.digest if last else None,
        }
    )
    store.write_locked(chained.key, chained.to_bytes(), until=datetime.now(UTC) + timedelta(days=KEPT_DAYS))
    return Stored(chained.key, chained, chained.digest())
