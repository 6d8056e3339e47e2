from __future__ import annotations

import signal
import sys
import threading
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.adapters.process import Process, child_environment

PYTHON = sys.executable
PLAIN = {"PATH": "/usr/bin:/bin"}


def _python(code: str, **options: bool | tuple[str, ...]) -> Process:
    return Process((PYTHON, "-c", code), PLAIN, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "POSTGRES_PASSWORD",
        "DATABASE_URL",
        "SLACK_WEBHOOK_URL",
        "PGCLIENTENCODING",
        "PGDATESTYLE",
        "PGTZ",
    ],
)
def test_a_child_is_not_given_what_it_does_not_need(name: str) -> None:
    assert name not in child_environment({name: "x", "PATH": "/bin"}, {})


def test_a_child_is_given_the_connection_and_plain_english() -> None:
    given_ = child_environment({"PATH": "/bin", "LC_ALL": "de_DE", "PGHOST": "old"}, {"PGHOST": "new"})
    assert given_ == {"PATH": "/bin", "LC_ALL": "C", "PGHOST": "new"}


@given(st.dictionaries(st.sampled_from(["AWS_X", "POSTGRES_Y", "DATABASE_URL", "HOME"]), st.text()))
def test_no_credential_of_others_is_passed_on(base: dict[str, str]) -> None:
    assert set(child_environment(base, {})) <= {"HOME", "LC_ALL"}


def test_secrets_are_masked_in_what_a_program_says() -> None:
    code = "import sys; sys.stderr.write('error: user u, password s3cret!\\n'); sys.exit(3)"
    with _python(code, secrets=("s3cret!", "")) as process:
        status = process.wait()
        assert status == 3
        assert "s3cret!" not in process.ending(status) + process.said()
        assert "password ***" in process.ending(status)


def test_a_talkative_program_does_not_block() -> None:
    code = (
        "import sys; [sys.stderr.write('pg_dump: warning: ' + 'x' * 200 + '\\n') for _ in range(20000)]; print('done')"
    )
    with _python(code, collect=True) as process:
        assert process.wait() == 0
        assert process.output == b"done\n"
        assert len(process.said().splitlines()) == 20


def test_chatter_is_kept_only_where_there_is_nothing_better() -> None:
    chatter = "import sys; sys.stderr.write('pg_dump: reading schemas\\n');"
    with _python(chatter) as process:
        process.wait()
        assert process.said() == "pg_dump: reading schemas"
    with _python(chatter + "sys.stderr.write('pg_dump: error: no\\n')") as process:
        process.wait()
        assert process.said() == "pg_dump: error: no"


def test_tables_are_counted_as_they_are_begun() -> None:
    code = "import sys; [sys.stderr.write(f'pg_dump: dumping contents of table \"a.t{n}\"\\n') for n in range(7)]"
    with _python(code) as process:
        process.wait()
        assert process.tables_started == 7


def test_a_program_that_still_runs_is_killed_on_leaving() -> None:
    with _python("import time; time.sleep(600)") as process:
        pid = process.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_a_program_is_killed_when_our_code_fails() -> None:
    pids = []

    def fail() -> None:
        with _python("import time; time.sleep(600)") as process:
            pids.append(process.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not psutil.pid_exists(pids[0])


def test_a_program_that_floods_its_output_is_killed_on_leaving() -> None:
    with _python("import sys\nwhile True: sys.stdout.write('x' * 65536)") as process:
        assert next(process.chunks())
        pid = process.pid
    assert not psutil.pid_exists(pid)


def test_output_is_read_whole() -> None:
    with _python("import sys; sys.stdout.write('ab' * 3_000_000)") as process:
        assert b"".join(process.chunks()) == b"ab" * 3_000_000
        assert process.wait() == 0


def test_input_is_taken_whole_and_its_end_is_seen() -> None:
    with _python("import sys; print(len(sys.stdin.buffer.read()))", feed=True, collect=True) as process:
        assert all(process.write(b"x" * 1_000_000) for _ in range(3))
        process.close_input()
        assert process.wait() == 0
        assert process.output == b"3000000\n"


def test_a_program_that_stops_taking_input_is_no_failure_of_ours() -> None:
    with _python("import os; os.close(0)", feed=True) as process:
        give_up = time.monotonic() + 30
        while process.write(b"x" * 4096):
            assert time.monotonic() < give_up
        assert not process.write(b"more")
        process.close_input()
        assert process.wait() == 0


def test_a_killed_program_says_so() -> None:
    with _python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") as process:
        status = process.wait()
        assert status == -9
        assert process.ending(status).endswith("was killed by signal 9 and said nothing")


def test_a_missing_program_cannot_be_started() -> None:
    with pytest.raises(FileNotFoundError):
        Process(("/nonexistent/pg_dump",), PLAIN)


def test_a_program_is_killed_when_a_signal_comes_while_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    before = set(psutil.Process().children())
    with pytest.raises(KeyboardInterrupt):
        _python("import time; time.sleep(600)")
    assert set(psutil.Process().children()) <= before


def test_a_signal_that_does_not_interrupt_the_read_is_heard_while_the_program_is_silent() -> None:
    class ToldError(Exception):
        pass

    def told(*_: object) -> None:
        raise ToldError

    def send() -> None:
        time.sleep(0.3)
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)  # the system call of the other thread goes on

    before = signal.signal(signal.SIGUSR1, told)
    sender = threading.Thread(target=send)
    began = time.monotonic()
    try:
        with _python("import time; print('x', flush=True); time.sleep(20)") as process:
            sender.start()
            with pytest.raises(ToldError):
                list(process.chunks())
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - began < 15
