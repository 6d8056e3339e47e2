"""The schedules for a plain Linux host: times as in the cloud, units that systemd takes, lines that cron can run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stacks.settings.rehearsal import RehearsalSettings
from tests.infrastructure.synthesis import block_of
from tests.support.command import clean_environment
from tests.support.databases import Database
from tests.workflows.job import read_workflow

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "linux-host"
TIERS = ("daily", "weekly", "monthly")
TEXTFILES = "/var/lib/node_exporter/textfile"
LONGEST_DUMP_SECONDS = 6 * 3600
CALENDAR = {"SUN": "Sun ", "*": ""}
IN_CLOUD: dict[str, str] = block_of("prod")["backup"]["schedules"]


def cron_of(expression: str) -> str:
    """A schedule of EventBridge as a line of cron has it, without the year."""
    fields = re.fullmatch(r"cron\((.*) \*\)", expression)
    assert fields, expression
    return fields[1].replace("?", "*")


def cron_lines() -> list[tuple[str, str]]:
    """Time and command of each entry of the crontab."""
    found = []
    for line in (FOLDER / "crontab").read_text().splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *time, command = line.split(maxsplit=5)
            found.append((" ".join(time), command))
    return found


def unit(name: str) -> dict[str, str]:
    """Settings of a unit, the last one where there are several."""
    lines = (FOLDER / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Za-z]+=", line))


def test_cron_and_the_workflow_keep_the_times_of_the_cloud() -> None:
    times = [cron_of(IN_CLOUD[tier]) for tier in TIERS]
    assert [time for time, _ in cron_lines()] == [*times, cron_of(RehearsalSettings().schedule)]
    for (_, command), tier in zip(cron_lines(), TIERS, strict=False):
        assert f"backup-database.sh --tier {tier} " in command
        assert waits(command) == LONGEST_DUMP_SECONDS
    assert "scripts/test-restore.sh" in cron_lines()[-1][1]
    schedule = read_workflow("backup-database")["on"]["schedule"]
    assert [entry["cron"] for entry in schedule] == times


def waits(command: str) -> int:
    """Seconds that a backup waits for another one of its database."""
    found = re.search(r" --wait (\d+)\b", command)
    assert found, f"nothing repeats it, so it must wait: {command}"
    return int(found[1])


def test_a_backup_that_starts_together_with_others_has_the_time_to_wait_and_to_dump() -> None:
    settings = unit("dbbackup@.service")
    limit = re.fullmatch(r"(\d+)h", settings["TimeoutStartSec"])
    assert limit is not None
    assert waits(settings["ExecStart"]) == LONGEST_DUMP_SECONDS
    assert int(limit[1]) * 3600 >= waits(settings["ExecStart"]) + LONGEST_DUMP_SECONDS


def test_cron_means_utc_and_tells_somebody() -> None:
    text = (FOLDER / "crontab").read_text()
    assert text.index("\nCRON_TZ=UTC\n") < text.index("\nMAILTO=") < text.index("\n0 2 * * *")
    # For cron a percent sign ends the command, and what follows is its input.
    assert not [command for _, command in cron_lines() if "%" in command]


@pytest.mark.parametrize(
    ("timer", "expression", "started"),
    [
        *((f"dbbackup-{tier}", IN_CLOUD[tier], f"dbbackup@{tier}.service") for tier in TIERS),
        ("dbbackup-restore-test", RehearsalSettings().schedule, "dbbackup-restore-test.service"),
    ],
)
def test_timers_keep_the_times_of_the_cloud(timer: str, expression: str, started: str) -> None:
    minute, hour, day, _, weekday = cron_of(expression).split()
    date = f"*-*-{int(day):02}" if day != "*" else "*-*-*"
    settings = unit(f"{timer}.timer")
    assert settings["OnCalendar"] == f"{CALENDAR[weekday]}{date} {int(hour):02}:{int(minute):02}:00 UTC"
    assert settings["Persistent"] == "true"
    assert settings["RandomizedDelaySec"] == "5min"
    assert settings["Unit"] == started


@pytest.mark.parametrize("service", ["dbbackup@.service", "dbbackup-restore-test.service"])
def test_a_job_may_touch_its_own_folder_and_somebody_hears_of_its_failure(service: str) -> None:
    settings = unit(service)
    assert settings["ProtectSystem"] == "strict"
    assert settings["WorkingDirectory"] == "/var/lib/dbbackup"
    assert settings["ReadWritePaths"] == f"/var/lib/dbbackup -{TEXTFILES}", "the second only where it is there"
    assert settings["CapabilityBoundingSet"] == ""
    assert settings["NoNewPrivileges"] == "true"
    assert settings["User"] == "dbbackup"
    assert settings["UMask"] == "0077"
    assert settings["EnvironmentFile"] == "/etc/dbbackup/environment"
    assert settings["OnFailure"] == "dbbackup-failed@%n.service"
    assert not [name for name in settings if name == "Environment"], "values in a unit can be read by everybody"


def example() -> dict[str, str]:
    """Names and values of the example, those in comments, too."""
    return dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (FOLDER / "environment.example").read_text(), re.M))


def test_the_folder_of_the_example_is_one_that_the_units_may_write_to_and_the_page_makes() -> None:
    assert "DBBACKUP_TEXTFILE_DIRECTORY" in example()
    assert TEXTFILES in (FOLDER / "environment.example").read_text()
    page = (ROOT / "docs" / "monitoring-with-prometheus.md").read_text()
    assert f"install -d -m 0755 -o {unit('dbbackup@.service')['User']} {TEXTFILES}\n" in page


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    """Have systemd read the units."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: the units were compared with the schedules and not verified")
    templates = {"dbbackup@.service": "dbbackup@daily.service", "dbbackup-failed@.service": "dbbackup-failed@x.service"}
    names = sorted(templates.get(path.name, path.name) for path in folder.iterdir())
    return subprocess.run(
        (program, "verify", "--man=no", *names),
        cwd=folder,
        env=clean_environment({"SYSTEMD_UNIT_PATH": f"{folder}:"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_systemd_takes_the_units_and_would_refuse_a_broken_one(tmp_path: Path) -> None:
    for path in (*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")):
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/ftry", str(ROOT)))
    done = verify(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")

    timer = tmp_path / "dbbackup-daily.timer"
    timer.write_text(timer.read_text().replace("*-*-* 02:00:00", "*-*-* 25:00:00"))
    assert "Failed to parse calendar" in verify(tmp_path).stderr


def run_line(folder: Path, environment: dict[str, str], command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the crontab as cron would, with its folders elsewhere."""
    for name in ("lib", "log"):
        (folder / name).mkdir(exist_ok=True)
    for there, here in (
        ("/opt/ftry", ROOT),
        ("/var/lib/dbbackup", folder / "lib"),
        ("/var/log/dbbackup", folder / "log"),
    ):
        command = command.replace(there, str(here))
    lines = [f"{name}={value}" for name, value in environment.items()]
    (folder / "lib" / ".env").write_text("\n".join(lines) + "\n")
    return subprocess.run(
        ("bash", "-c", command),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_cron_mails_nothing_of_a_backup_and_the_reason_of_a_failure(database: Database, tmp_path: Path) -> None:
    _, command = cron_lines()[0]
    environment = {**database.environment(), "PG_BINDIR": str(database.server.bindir)}
    done = run_line(tmp_path, environment, command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "lib" / "backups").glob("*.dump"))) == 1
    assert "✅ Verification passed" in (tmp_path / "log" / "backup.log").read_text()

    done = run_line(tmp_path, {**environment, "POSTGRES_PASSWORD": "wrong"}, command)
    assert done.stdout.startswith("The daily backup failed:\n")
    assert "the server refused the password" in done.stdout
    assert len(list((tmp_path / "lib" / "backups").glob("*.dump"))) == 1
