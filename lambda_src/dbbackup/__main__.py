"""``python -m dbbackup``, for an image or a machine where the command is not on PATH."""

from dbbackup.cli import main

main()
