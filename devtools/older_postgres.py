"""Servers of majors that no Python package brings: they come with npm, and bring no client programs."""

from __future__ import annotations

import contextlib
import json
import platform
from pathlib import Path

OLDER = {14: "postgres-14", 15: "postgres-15", 16: "postgres-16"}
_MODULES = Path(__file__).parent.parent / "node_modules"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


def is_made_for_this_machine(major: int) -> bool:
    """Whether there is a package of that major: for Linux alone, and of 14 for x86 alone."""
    machines = ("x86_64",) if major == 14 else tuple(_ARCHITECTURES)
    return platform.system() == "Linux" and platform.machine() in machines


def older_bindir(package: str) -> Path:
    """Folder of the server's programs."""
    folder = _MODULES / f"{package}-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"
    if not folder.is_dir():
        raise RuntimeError(f"{folder} is not installed; `make setup` installs it where there is one")
    _link(folder)
    return folder / "native" / "bin"


def _link(folder: Path) -> None:
    """Make the links that an npm package cannot hold; its own script would, but no package's scripts are run here."""
    for link in json.loads((folder / "native" / "pg-symlinks.json").read_text()):
        with contextlib.suppress(FileExistsError):
            (folder / link["target"]).symlink_to(Path(link["source"]).name)
