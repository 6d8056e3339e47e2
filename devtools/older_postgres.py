"""Servers of majors that no Python package brings: they come with npm, and bring no client programs."""

from __future__ import annotations

import contextlib
import json
import platform
from pathlib import Path

OLDER = {14: "postgres-14", 15: "postgres-15", 16: "postgres-16"}
_MODULES = Path(__file__).parent.parent / "node_modules"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}


def older_bindir(package: str) -> Path | None:
    """Folder of the server's programs; None where the package is not made for this machine (14 is not for ARM)."""
    folder = _MODULES / f"{package}-{_ARCHITECTURES.get(platform.machine(), platform.machine())}"
    if platform.system() != "Linux" or not folder.is_dir():
        return None
    _link(folder)
    return folder / "native" / "bin"


def _link(folder: Path) -> None:
    """Make the links that an npm package cannot hold; its own script would, but no package's scripts are run here."""
    for link in json.loads((folder / "native" / "pg-symlinks.json").read_text()):
        with contextlib.suppress(FileExistsError):
            (folder / link["target"]).symlink_to(Path(link["source"]).name)
