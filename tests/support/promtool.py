"""promtool, Prometheus's own tool to check and try rules; part of Debian's package ``prometheus``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

PROMTOOL: Final = shutil.which("promtool")
RULES: Final = Path(__file__).resolve().parents[2] / "monitoring" / "prometheus"

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed, so the rules were NOT tested: apt-get install prometheus"
)


def promtool(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, str]:
    """Run it: exit status and everything it said."""
    assert PROMTOOL is not None
    done = subprocess.run(
        (PROMTOOL, *arguments),
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout.decode()
