"""A script for psql of what a restore has not made, to be run when the causes are mended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbbackup.core.entry_script import prepared_chunks
from dbbackup.core.missing_data import refreshed_without
from dbbackup.core.restore_failure import Failure
from dbbackup.core.restore_ports import RestoringTools
from dbbackup.operations.filling import Filling


def unrestored_script(
    url: str, filling: Filling, failures: Sequence[Failure], *, tools: RestoringTools
) -> Iterator[bytes]:
    """The script, piece by piece: what was left out by plan with its statement, and the failed entries with their data.

    Raises:
        VerificationFailedError: the archive cannot be read to its end.
    """
    target = filling.options.target
    yield _comment(f"What was not restored into {target!r} from {url}.")
    yield _comment("Mend the causes, then run it: psql --set=ON_ERROR_STOP=1 --dbname=... --file=THIS")
    for skip in filling.plan.skips:
        yield b"\n" + _comment(f"Left out: {skip.what}: {skip.why}")
        if skip.statement:
            yield skip.statement.encode(errors="surrogateescape") + b"\n"
    for failure in failures:
        yield b"\n" + _comment(f"Failed: {failure.what}: {failure.error}")
        if failure.dump_id is None:
            yield failure.statement.encode(errors="surrogateescape") + b"\n"
    failed = {failure.dump_id for failure in failures if failure.dump_id is not None}
    stale = refreshed_without(filling.contents, failed) - filling.plan.dropped
    for entry in filling.contents.items:
        if entry.dump_id in stale:
            yield b"\n" + _comment(f"Filled without the data that was missing: {entry.description}")
    numbers = [entry.dump_id for entry in filling.contents.items if entry.dump_id in failed | stale]
    if numbers:
        script = tools.script(filling.archive, numbers, filling.options, tablespaces=not filling.plan.no_tablespaces)
        with script as chunks:
            yield f"\nSET search_path = {filling.search_paths[0]};\n".encode()
            yield from prepared_chunks(chunks, filling.server.major)


def _comment(text: str) -> bytes:
    return ("-- " + " ".join(text.split()) + "\n").encode(errors="surrogateescape")
