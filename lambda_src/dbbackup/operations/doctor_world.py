"""What ``dbbackup doctor`` examines: the environment, and how to get at what it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from dbbackup.core.compression import Method
from dbbackup.core.connection import Connection, DatabaseUrl
from dbbackup.core.doctor_ports import Bucket, Directory, Server
from dbbackup.core.ports import BackupStore, ClientTools


@dataclass(frozen=True, slots=True)
class AskedOfBackup:
    """What a backup would be asked for by the environment alone."""

    compression: Method
    level: int


@dataclass(frozen=True, slots=True)
class World:
    """What is examined.

    Each callable makes one thing when its check comes to it, and raises as that thing does.
    """

    environment: Mapping[str, str]
    asked: Callable[[], AskedOfBackup]
    url: Callable[[], DatabaseUrl]
    connection: Callable[[], Connection]
    tools: Callable[[], ClientTools]
    server: Callable[[Connection], AbstractContextManager[Server]]
    store: Callable[[], BackupStore]
    scratch: Callable[[], Directory]
    now: Callable[[], datetime]
    directory: Directory | None = None
    bucket: Callable[[], Bucket] | None = None
    bucket_name: str = ""
    textfiles: Directory | None = None
    """Where Prometheus is told, if it is."""
