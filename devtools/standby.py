"""A streaming standby of a test server."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from devtools.postgres import Server, free_port

_UNPRIVILEGED = "nobody"


@contextmanager
def start_standby(primary: Server) -> Iterator[Server]:
    """Copy a running server with pg_basebackup, start the copy as its standby, and stop it with the context."""
    run_as = _UNPRIVILEGED if os.geteuid() == 0 else None
    # As root the server runs from a copy of its programs beside its data, which others can read.
    beside = Path(primary.value("SHOW data_directory")).parent
    programs = next(beside.glob("*/pginstall/bin"), primary.bindir)
    folder = Path(tempfile.mkdtemp(prefix="pg-standby-"))
    data, port = folder / "data", free_port()
    if run_as:
        os.chown(folder, pwd.getpwnam(run_as).pw_uid, -1)

    def run(*command: str) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "PGPASSWORD": primary.password}
        subprocess.run(
            command,
            user=run_as,
            env=environment,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    try:
        where = (f"--host={primary.host}", f"--port={primary.port}", f"--username={primary.user}")
        run(str(programs / "pg_basebackup"), f"--pgdata={data}", *where, "--write-recovery-conf", "--checkpoint=fast")
        with (data / "postgresql.conf").open("a") as file:
            file.write(f"port = '{port}'\nunix_socket_directories = '{data}'\n")
        run(str(programs / "pg_ctl"), f"--pgdata={data}", f"--log={data}/server.log", "--wait", "start")
        yield replace(primary, port=port)
    finally:
        if (data / "postmaster.pid").exists():
            run(str(programs / "pg_ctl"), f"--pgdata={data}", "--mode=immediate", "--wait", "stop")
        shutil.rmtree(folder, ignore_errors=True)
