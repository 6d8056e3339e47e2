"""The command ``dbbackup``."""

from dbbackup.cli.main import main

__all__ = ["main"]
