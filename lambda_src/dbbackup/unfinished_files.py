"""Files that are not finished yet, in folders that other processes, containers and hosts may share.

Whether somebody still writes one is not told by a process number: those of another host or container mean nothing
here. It is told by a lock, which ends with its holder however that ends, but only under the same kernel: a network
file system may keep the locks of each host to itself. So the name says under which kernel a file is written, and one
of another kernel is taken for abandoned only when nothing was written to it for a long time.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

ABANDONED_SECONDS: Final = 86_400
"""A writer under another kernel that has written nothing for so long is gone."""
_MARK: Final = re.compile(r"\.(?P<kernel>[0-9a-f]{8})-[0-9a-f]{8}$")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@cache
def _kernel() -> str:
    """The same for all processes under one running kernel, in whatever container; else like nobody else's.

    https://man7.org/linux/man-pages/man4/random.4.html
    """
    try:
        return hashlib.sha256(_BOOT.read_bytes()).hexdigest()[:8]
    except OSError:
        return secrets.token_hex(4)


@contextmanager
def unfinished(folder: Path, stem: str, suffix: str, *, mode: int = 0o600) -> Iterator[tuple[int, Path]]:
    """A new file that others see is being written; it is removed with the context, unless it was renamed.

    Args:
        folder: where.
        stem: how its name begins.
        suffix: how its name ends.
        mode: its rights, whatever the umask is.

    Yields:
        A descriptor to write with, and the path.
    """
    descriptor, path = _create(folder, stem, suffix, mode)
    try:
        yield descriptor, path
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a close after a failed write may repeat that write's error
            os.close(descriptor)


def _create(folder: Path, stem: str, suffix: str, mode: int) -> tuple[int, Path]:
    while True:
        path = folder / f"{stem}.{_kernel()}-{secrets.token_hex(4)}{suffix}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            os.fchmod(descriptor, mode)
            with contextlib.suppress(OSError):  # not every file system has locks; the age of the file counts then
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor, path
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        os.close(descriptor)  # somebody took it for abandoned before it was locked


def remove_abandoned(folder: Path, pattern: str, suffix: str, *, beside: int, ours: Callable[[str], bool]) -> None:
    """Remove what runs that were killed have left.

    Args:
        folder: where.
        pattern: of the names to look at.
        suffix: how they end.
        beside: descriptor of a file that was made just now, whose time is that of the folder's own clock.
        ours: whether a name, without mark and suffix, is one that we give.
    """
    now = os.fstat(beside).st_mtime
    for path in folder.glob(pattern):
        name = path.name.removesuffix(suffix)
        mark = _MARK.search(name)
        stem = name[: mark.start()] if mark else name.rpartition(".")[0] or name
        if ours(stem):
            with contextlib.suppress(OSError):  # of somebody else, or gone by now
                _remove_if_abandoned(path, mark["kernel"] if mark else "", now)


def _remove_if_abandoned(path: Path, kernel: str, now: float) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        locked = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:
            locked = False
        silent = now - os.fstat(descriptor).st_mtime
        if (locked and kernel == _kernel()) or silent > ABANDONED_SECONDS:
            path.unlink()
    finally:
        os.close(descriptor)


def claim(path: Path, final: Path) -> None:
    """Give a file its final name, if nobody has taken that.

    Raises:
        FileExistsError: somebody has.
    """
    try:
        os.link(path, final)
    except FileExistsError:
        # Over a network a repeated request may fail although the first one has succeeded.
        if not final.samefile(path):
            raise
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # Without hard links an empty file takes the name first, which only one can make; that one is ours to replace.
        os.close(os.open(final, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        path.replace(final)
    else:
        path.unlink()
