"""Set this checkout up: the virtual environment, a Node.js that the CDK supports, and the pinned CDK command.

Runs on a bare Python 3.11 or later, with the standard library only. What is installed is recorded in a stamp
file with a digest of everything that decides it, so a second run ends at once, and a run that was killed
half-way starts again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / ".installed"
LOCK = ROOT / ".venv.lock"
INPUTS = (
    "lambda_src/pyproject.toml",
    "lambda_src/requirements.txt",
    "package-lock.json",
    "requirements-dev.txt",
    "requirements-node.txt",
    "requirements.txt",
    "scripts/bootstrap.py",
)
# Even-numbered majors under active or maintenance support when jsii 1.142 was released.
SUPPORTED_NODE_MAJORS = (22, 24)


def digest() -> str:
    """Digest of whatever decides what gets installed: the pins, this interpreter and this place."""
    state = hashlib.sha256(f"{sys.version_info[:2]}\n{ROOT}\n".encode())
    for name in INPUTS:
        state.update((ROOT / name).read_bytes())
    return state.hexdigest()


def is_installed(wanted: str) -> bool:
    """Whether the recorded set-up is the wanted one and its commands are still there."""
    try:
        recorded = STAMP.read_text()
    except FileNotFoundError:
        return False
    return recorded == wanted and (BIN / "dbbackup").exists() and (ROOT / "node_modules/aws-cdk/bin/cdk").exists()


def node_major(command: str) -> int | None:
    """Major version of a Node.js command, or None where it does not run."""
    try:
        answer = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match.group(1)) if match else None


def run(what: str, *command: str) -> None:
    """Run one step of the set-up, quietly when it works and with everything it said when it does not."""
    print(f"  {what} ...", flush=True)
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment.pop("PYTHONHOME", None)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stdout}\nSet-up stopped: {what} failed (exit status {done.returncode}).\n"
            "Nothing outside this folder was changed. Mend the cause named above and run the same command again."
        )


def install() -> None:
    """Create the virtual environment and install the pinned packages into this folder."""
    STAMP.unlink(missing_ok=True)
    if not (BIN / "python").exists():
        print("  a virtual environment in .venv ...", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            venv.create(VENV, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit(
                "Set-up stopped: this Python cannot make a virtual environment with pip in it.\n"
                "On Debian and Ubuntu: apt install python3-venv. Then run the same command again."
            )
    pip = (str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet")
    run("the pinned Python packages", *pip, "-r", "requirements-dev.txt")
    node = shutil.which("node")
    if node is None or node_major(node) not in SUPPORTED_NODE_MAJORS or shutil.which("npm") is None:
        run("Node.js, from its Python package", *pip, "-r", "requirements-node.txt")
    run("the pinned CDK command", "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")


def main() -> None:
    """Install what is missing, once, even when two of us start together."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it is here to tell whoever has an older one
        sys.exit(
            f"Python 3.11 or later is needed, this is {sys.version.split()[0]}. Name another: make PYTHON=python3.13"
        )
    wanted = digest()
    if is_installed(wanted):
        return
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed(wanted):
            return
        print("Setting up (once; a minute or two):", flush=True)
        started = time.monotonic()
        install()
        STAMP.write_text(wanted)
    print(f"Set up in {time.monotonic() - started:.0f} s.\n", flush=True)


if __name__ == "__main__":
    main()
