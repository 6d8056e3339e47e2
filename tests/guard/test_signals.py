"""Signals reach the guarded command, once, and its end is ours and in the receipt."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dbbackup.adapters.foreground import Foreground
from dbbackup.core.errors import InterruptedRunError
from dbbackup.core.receipt import Status
from tests.guard.conftest import Place, environment_of
from tests.support.command import PROGRAM, clean_environment, dbbackup, start_dbbackup
from tests.support.databases import Database
from tests.support.faults import wait_for

COUNTING = """
import signal, sys, time
heard = []
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, lambda number, _: heard.append(number))
open(sys.argv[1], "w").close()
while not heard:
    time.sleep(0.01)
time.sleep(0.3)
print(*heard, flush=True)
sys.exit(40 + len(heard))
"""


def _told(number: signal.Signals) -> None:
    """A signal to this thread: where tests run in parallel there are others, which would let it end the process."""
    signal.pthread_kill(threading.get_ident(), number)


@pytest.fixture
def program(tmp_path: Path) -> tuple[str, ...]:
    """A command that waits for a signal, prints those it heard, and ends with 40 and their number."""
    file = tmp_path / "counting.py"
    file.write_text(COUNTING)
    return ("python3", str(file), str(tmp_path / "ready"))


@pytest.fixture
def running(database: Database, folder_place: Place, program: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
    """A guard whose command waits for a signal."""
    command = start_dbbackup("guard", *folder_place.options, "--", *program, environment=environment_of(database))
    wait_for(Path(program[-1]).exists)
    yield command
    command.kill()
    command.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_sent_to_us_reaches_the_command(
    running: subprocess.Popen[str], folder_place: Place, number: signal.Signals
) -> None:
    running.send_signal(number)
    out, err = running.communicate(timeout=30)
    assert out == f"{int(number)}\n"
    assert running.returncode == 41, err
    assert "The way back" in err
    (receipt,) = folder_place.receipts()
    assert receipt.status is Status.FAILED


def test_a_command_that_a_signal_ends_has_the_status_of_a_shell(database: Database, folder_place: Place) -> None:
    words = ("guard", *folder_place.options, "--", "sh", "-c", "kill -TERM $$")
    done = dbbackup(*words, environment=environment_of(database), folder=Path("/"))
    assert done.status == 128 + signal.SIGTERM
    assert "SIGTERM" in done.err


def test_a_key_of_the_terminal_reaches_the_command_once(
    database: Database, folder_place: Place, program: tuple[str, ...]
) -> None:
    child, terminal = pty.fork()
    if child == 0:
        words = (str(PROGRAM), "guard", *folder_place.options, "--", *program)
        os.execve(PROGRAM, words, clean_environment(environment_of(database)))
    try:
        wait_for(Path(program[-1]).exists)
        os.write(terminal, b"\x03")
        shown = b""
        while b"Receipt" not in shown:
            shown += os.read(terminal, 65536)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 41, shown.decode()


def test_a_guard_that_is_killed_leaves_a_receipt_that_says_so(
    running: subprocess.Popen[str], folder_place: Place, database: Database
) -> None:
    (command,) = psutil.Process(running.pid).children()
    running.kill()
    running.wait()
    try:
        (receipt,) = folder_place.receipts()
        assert receipt.status is Status.RUNNING
        asked = dbbackup(
            "receipt", "verify", "--any-commit", *folder_place.options, environment=environment_of(database)
        )
        assert asked.status == 1
        assert "its end is not recorded" in asked.err
    finally:
        command.kill()


def test_a_signal_before_the_command_keeps_it_from_starting(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with Foreground() as runner:
        _told(signal.SIGTERM)
        with pytest.raises(InterruptedRunError, match="The command was not run"):
            runner.run(("touch", str(started)), dict(os.environ))
    assert not started.exists()


def test_a_signal_after_the_command_does_not_stop_the_recording() -> None:
    with Foreground() as runner:
        assert runner.run(("sh", "-c", "exit 7"), dict(os.environ)) == 7
        _told(signal.SIGTERM)
        time.sleep(0.01)
    assert signal.SIGTERM not in signal.sigpending()


def test_ends_and_signals_that_another_thread_takes_are_not_lost(tmp_path: Path) -> None:
    over = threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()  # such as that of a Slack that does not answer
    waiting = f"trap 'exit 9' TERM; touch {tmp_path}/ready; while :; do sleep 0.02; done"
    try:
        with Foreground() as runner:
            assert [runner.run(("true",), dict(os.environ)) for _ in range(20)] == [0] * 20
            other = threading.Thread(target=_terminate_when, args=(tmp_path / "ready",))
            other.start()
            assert runner.run(("sh", "-c", waiting), dict(os.environ)) == 9
            other.join()
    finally:
        over.set()


def _terminate_when(file: Path) -> None:
    wait_for(file.exists)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)


def test_the_command_starts_with_the_signals_of_any_program() -> None:
    with Foreground() as runner:
        script = (
            "import signal,sys; blocked=signal.pthread_sigmask(signal.SIG_BLOCK,()); "
            "import subprocess; "
            "line=[l for l in open('/proc/self/status') if l.startswith('SigBlk')][0]; "
            "sys.exit(0 if not blocked and int(line.split()[1],16)==0 else 1)"
        )
        assert runner.run(("python3", "-c", script), dict(os.environ)) == 0
        assert runner.run(("sh", "-c", "yes | head -1 >/dev/null; exit 5"), dict(os.environ)) == 5
