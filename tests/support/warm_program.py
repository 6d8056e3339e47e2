"""The command ``dbbackup`` with its modules loaded once: every run is a process of its own, forked instead of started.

Starting Python and importing the SDK takes longer than most runs of the command. A run here has its own environment,
folder, output and exit status like any other; tests of how the command starts use the installed program itself.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = """#!{python} -IS
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
socket.send_fds(line, [b"f"], [1, 2])
request = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
line.sendall(json.dumps(request).encode() + b"\\n")
status = int(line.makefile().read().split()[1])
sys.exit(status if status >= 0 else 128 - status)
"""


class WarmProgram:
    """A process that has the command loaded and forks for each run."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="warm-")
        self._address = str(Path(self._folder.name) / "socket")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._address)
        listener.listen(16)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # A session of its own: Ctrl-C of a person who runs the tests is for the tests, which then end us.
        self._server = subprocess.Popen(
            (sys.executable, "-m", "tests.support.warm_program", str(listener.fileno())),
            cwd=_ROOT,
            env=kept,
            pass_fds=(listener.fileno(),),
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        listener.close()
        atexit.register(self.stop)

    def command_in(self, folder: Path) -> Path:
        """A command ``dbbackup`` for shell scripts that costs a tenth of a start; signals do not reach the run."""
        command = folder / "dbbackup"
        command.write_text(_COMMAND.format(python=sys.executable, address=self._address))
        command.chmod(0o755)
        return command

    def stop(self) -> None:
        """End it."""
        self._server.kill()
        self._server.wait()
        self._folder.cleanup()

    def run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path | None, timeout: float
    ) -> tuple[int, str, str]:
        """One run: exit status as :mod:`subprocess` counts it, standard output, standard error.

        Raises:
            subprocess.TimeoutExpired: it took too long and was killed.
        """
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(folder or Path.cwd())}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, socket.socket(socket.AF_UNIX) as line:
            line.connect(self._address)
            socket.send_fds(line, [b"f"], [out.fileno(), err.fileno()])
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as answers:
                pid = int(answers.readline())
                line.settimeout(timeout)
                try:
                    status = int(answers.readline())
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(arguments, timeout) from None
            return status, _text(out), _text(err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _serve(listener: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who wait for a run are forgotten when they end
    gc.freeze()
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _attend(line)
        line.close()


def _attend(line: socket.socket) -> NoReturn:
    _, descriptors, _, _ = socket.recv_fds(line, 1, 2)
    with line.makefile("rb") as requests:
        request = json.loads(requests.readline())
    pid = os.fork()
    if pid == 0:
        line.close()
        _run(request, array.array("i", descriptors))
    line.sendall(f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # whoever asked has gone
        line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(request: Mapping[str, Any], descriptors: array.array[int]) -> NoReturn:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, *descriptors)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as the interpreter itself does
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    time.tzset()
    tempfile.tempdir = None  # was chosen by another environment
    sys.argv = ["dbbackup", *request["arguments"]]
    os._exit(_status_of_main())


def _status_of_main() -> int:
    from dbbackup.cli import main

    status = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - what the interpreter does with what nobody catches
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    import boto3.session
    import botocore.client
    import psycopg

    import dbbackup.cli.main

    assert all((boto3.session, botocore.client, psycopg, dbbackup.cli.main)), "loaded, which is what this is for"
    _serve(socket.socket(fileno=int(sys.argv[1])))
