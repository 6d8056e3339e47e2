"""Where ``dbbackup restore`` writes what it could not restore."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dbbackup.core.errors import DbBackupError
from dbbackup.core.naming import TIME_FORMAT


def keep_script(pieces: Iterator[bytes], path: Path | None, target: str) -> str:
    """Write the script; the restore's own outcome counts, so a script that cannot be written is only said.

    Args:
        pieces: the script.
        path: where to; None for a new file in the current folder.
        target: the database, for the file's name.

    Returns:
        Where it is, or why it is nowhere.
    """
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in target)
    file = path or Path(f"{safe}_not_restored_{datetime.now(UTC).strftime(TIME_FORMAT)}.sql")
    try:
        with file.open("wb" if path else "xb") as out:
            for piece in pieces:
                out.write(piece)
    except OSError as error:
        return f"no file ({file}: {error.strerror})"
    except DbBackupError as error:
        return f"no file ({error.what})"
    return str(file)
