"""Situations, and which alerts ring in them. Time begins at 0; a series is written in promtool's notation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DAY: Final = 86_400
SHOP: Final = {"job": "node", "instance": "db1", "server": "shop-prod", "database": "shop"}
FOREVER: Final = 100
STORE: Final = "s3://ftry-backups"


@dataclass(frozen=True)
class Case:
    """One situation."""

    name: str
    alert: str
    series: dict[str, str]
    at: str
    labels: tuple[dict[str, str], ...] = ()
    """Labels of the alerts that ring, besides those that all of them have; nothing rings where there are none."""

    @property
    def interval(self) -> str:
        """Time between samples, and between evaluations: the longer a situation lasts the more, as each takes time."""
        found = re.match(r"(\d+)h", self.at)
        hours = int(found[1]) if found else 0
        return "5m" if hours < 3 else "30m" if hours < 30 else "6h" if hours < 350 else "12h"


def series(name: str, **labels: str) -> str:
    """A selector of one series on the usual machine, whose labels may be overridden; an empty one is left out."""
    every = {**SHOP, **labels}
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in every.items() if value) + "}"


def backup(name: str, tier: str = "daily", source: str = "run", **labels: str) -> str:
    """A series of a backup."""
    return series(f"dbbackup_backup_{name}", tier=tier, source=source, **labels)


def rehearsal(name: str, source: str = "run", **labels: str) -> str:
    """A series of a rehearsal."""
    return series(f"dbbackup_rehearsal_{name}", source=source, **labels)


def store(name: str, **labels: str) -> str:
    """A series of the store that is looked through."""
    return series(name, database="", server="", source=STORE, **labels)


def always(value: float) -> str:
    """The same value all the time."""
    return f"{value}+0x{FOREVER}"


def until(count: int, value: float, then: float | None = None) -> str:
    """A value for ``count`` samples, then another or none."""
    rest = f"_x{FOREVER}" if then is None else f"{then}+0x{FOREVER}"
    return f"{value}+0x{count - 1} {rest}"


_SUCCESS = "last_success_timestamp_seconds"
_READ = "dbbackup_catalog_read_timestamp_seconds"
_OTHER = {"instance": "db2", "server": "stock-prod", "database": "stock"}
_DEV = {"server": "shop-dev"}
_HERE = {"server": "localhost:5432"}
_SECOND_STORE = "s3://shop-dev-backups"
_MTIME = "node_textfile_mtime_seconds"
_FILE = "/var/lib/node_exporter/dbbackup_catalog.prom"
_SHOP_BACKUP = {**SHOP, "tier": "daily"}
_RESTORE_FAILED = {
    series("dbbackup_restore_last_run_success", source="run"): always(0),
    series("dbbackup_restore_last_run_timestamp_seconds", source="run"): always(0),
}
_RESTORABLE = series("dbbackup_instance_latest_restorable_timestamp_seconds", database="")
_PROD = {"job": "node", "instance": "db1", "server": "shop-prod"}
_ORDINARY = {backup(_SUCCESS): always(0)}


def _sizes(*values: str, tier: str = "daily") -> dict[str, str]:
    return {backup("size_bytes", tier=tier): " ".join(values)}


CASES: Final = (
    Case("a day and the grace are over", "BackupFailed", _ORDINARY, "25h30m", (SHOP,)),
    Case("a day is over and the grace is not", "BackupFailed", _ORDINARY, "25h"),
    Case(
        "one database of two has none",
        "BackupFailed",
        {backup(_SUCCESS): always(0), backup(_SUCCESS, **_OTHER): always(60_000)},
        "26h",
        (SHOP,),
    ),
    Case(
        "the same name on another server is another database, though one machine looks both stores through",
        "BackupFailed",
        {
            backup(_SUCCESS, source=STORE): always(0),
            backup(_SUCCESS, source=_SECOND_STORE, **_DEV): always(60_000),
            store(_READ): always(90_000),
        },
        "26h",
        (SHOP,),
    ),
    Case(
        "a run on one server, and a later one on another",
        "BackupFailed",
        {backup(_SUCCESS): always(0), backup(_SUCCESS, **_DEV): always(60_000)},
        "26h",
        (SHOP,),
    ),
    Case(
        "the second of two stores of one database has it",
        "BackupFailed",
        {
            backup(_SUCCESS, source=STORE): always(0),
            backup(_SUCCESS, source="/srv/backups"): always(60_000),
            store(_READ): always(90_000),
        },
        "26h",
    ),
    Case(
        "localhost on another machine is another server",
        "BackupFailed",
        {backup(_SUCCESS, **_HERE): always(0), backup(_SUCCESS, instance="db2", **_HERE): always(60_000)},
        "26h",
        ({**SHOP, **_HERE},),
    ),
    Case(
        "of two stores whose servers call themselves localhost, one lags",
        "BackupFailed",
        {
            backup(_SUCCESS, source=STORE, **_HERE): always(0),
            backup(_SUCCESS, source=_SECOND_STORE, **_HERE): always(60_000),
            store(_READ): always(90_000),
        },
        "26h",
        ({**SHOP, **_HERE},),
    ),
    Case(
        "any tier will do",
        "BackupFailed",
        {backup(_SUCCESS): always(0), backup(_SUCCESS, "pre-migration"): always(60_000)},
        "26h",
    ),
    Case(
        "a run says it made one, and in the store there is none so young",
        "BackupFailed",
        {
            backup(_SUCCESS): always(60_000),
            backup(_SUCCESS, source=STORE): always(0),
            store(_READ): always(90_000),
        },
        "26h",
        (SHOP,),
    ),
    Case("more than ten GiB", "BackupTooLarge", _sizes(always(10 * 2**30 + 1024**2)), "5m", (_SHOP_BACKUP,)),
    Case("ten GiB", "BackupTooLarge", _sizes("10737418240+0x9"), "5m"),
    Case(
        "the store knows the size",
        "BackupTooLarge",
        {
            backup("size_bytes"): always(11 * 2**30),
            backup("size_bytes", source=STORE): always(1),
            store(_READ): always(0),
        },
        "5m",
    ),
    Case(
        "the last run failed",
        "BackupLastRunFailed",
        {backup("last_run_success"): until(3, 1, 0)},
        "15m",
        ({**_SHOP_BACKUP, "source": "run"},),
    ),
    Case(
        "it was the schedule's, and nothing has run since",
        "BackupLastRunFailed",
        {backup("last_run_success", "weekly"): always(0), backup("last_run_timestamp_seconds", "weekly"): always(0)},
        "204h",
        ({**SHOP, "tier": "weekly", "source": "run"},),
    ),
    *(
        Case(
            f"a {tier} one, which no schedule repeats, failed {at} ago",
            "BackupLastRunFailed",
            {backup("last_run_success", tier): always(0), backup("last_run_timestamp_seconds", tier): always(0)},
            at,
            labels,
        )
        for tier in ("manual", "pre-migration")
        for at, labels in (("162h", ({**SHOP, "tier": tier, "source": "run"},)), ("174h", ()))
    ),
    Case("the run after it succeeded", "BackupLastRunFailed", {backup("last_run_success"): until(3, 0, 1)}, "15m"),
    Case(
        "what was read back was something else",
        "BackupVerificationFailed",
        {backup("last_run_failure_info", error="verification-failed"): always(1)},
        "5m",
        ({**_SHOP_BACKUP, "source": "run", "error": "verification-failed"},),
    ),
    *(
        Case(
            f"one that no schedule repeats was something else, {at} ago",
            "BackupVerificationFailed",
            {
                backup("last_run_failure_info", "manual", error="verification-failed"): always(1),
                backup("last_run_timestamp_seconds", "manual"): always(0),
            },
            at,
            labels,
        )
        for at, labels in (
            ("162h", ({**SHOP, "tier": "manual", "source": "run", "error": "verification-failed"},)),
            ("174h", ()),
        )
    ),
    Case(
        "another failure",
        "BackupVerificationFailed",
        {backup("last_run_failure_info", error="connection"): always(1)},
        "5m",
    ),
    Case(
        "only a backup of another tier is young",
        "BackupDailyMissing",
        {backup(_SUCCESS): always(0), backup(_SUCCESS, "manual"): always(10_000)},
        "26h",
        (_SHOP_BACKUP,),
    ),
    *(
        Case(
            f"the daily one is {at} old",
            "BackupDailyMissing",
            {backup(_SUCCESS): always(0), backup(_SUCCESS, "manual"): always(10_000)},
            at,
        )
        for at in ("20h", "25h")
    ),
    Case(
        "the weekly one is old",
        "BackupDailyMissing",
        {backup(_SUCCESS): always(60_000), backup(_SUCCESS, "weekly"): always(0)},
        "26h",
    ),
    Case("no tier has a young one, which BackupFailed says", "BackupDailyMissing", _ORDINARY, "26h"),
    Case(
        "the daily one is young",
        "BackupDailyMissing",
        {backup(_SUCCESS): always(60_000), backup(_SUCCESS, "manual"): always(60_000)},
        "26h",
    ),
    *(
        case
        for tier, days, step in (("weekly", 8, 6), ("monthly", 32, 12))
        for case in (
            Case(
                f"the {tier} one is older than {days} days",
                f"Backup{tier.title()}Missing",
                {backup(_SUCCESS, tier): always(0)},
                f"{days * 24 + 2 * step}h",
                ({**SHOP, "tier": tier},),
            ),
            Case(
                f"the {tier} one is just older than {days} days",
                f"Backup{tier.title()}Missing",
                {backup(_SUCCESS, tier): always(0)},
                f"{days * 24 + step}h",
            ),
            Case(
                f"the {tier} one has gone",
                f"Backup{tier.title()}Missing",
                {backup(_SUCCESS): always(0), backup(_SUCCESS, tier): until(3, 0)},
                "2h",
                ({**SHOP, "tier": tier},),
            ),
            Case(
                f"the {tier} one has been gone for almost a week",
                f"Backup{tier.title()}Missing",
                {backup(_SUCCESS): always(0), backup(_SUCCESS, tier): until(3, 0)},
                "174h",
                ({**SHOP, "tier": tier},),
            ),
            Case(
                f"the {tier} one has been gone for more than a week: somebody means it",
                f"Backup{tier.title()}Missing",
                {backup(_SUCCESS): always(0), backup(_SUCCESS, tier): until(3, 0)},
                "204h",
            ),
            Case(
                f"nobody ever took {tier} ones",
                f"Backup{tier.title()}Missing",
                _ORDINARY,
                f"{days * 24 + 2 * step}h",
            ),
        )
    ),
    Case(
        "every run has failed",
        "BackupNeverSucceeded",
        {backup("last_run_timestamp_seconds"): always(0), backup(_SUCCESS, **_OTHER): always(0)},
        "65m",
        (SHOP,),
    ),
    Case(
        "the first run is about to succeed",
        "BackupNeverSucceeded",
        {backup("last_run_timestamp_seconds"): always(0), backup(_SUCCESS, **_OTHER): always(0)},
        "55m",
    ),
    Case(
        "a run has succeeded",
        "BackupNeverSucceeded",
        {backup("last_run_timestamp_seconds"): always(0), **_ORDINARY},
        "65m",
    ),
    Case(
        "a name was mistyped by hand",
        "BackupNeverSucceeded",
        {backup("last_run_timestamp_seconds", "manual"): always(0), backup(_SUCCESS, **_OTHER): always(0)},
        "65m",
    ),
    Case(
        "another machine knows its backups",
        "BackupNeverSucceeded",
        {backup("last_run_timestamp_seconds"): always(0), backup(_SUCCESS, source=STORE, instance="mon"): always(0)},
        "65m",
    ),
    Case(
        "another machine knows backups of a server of its own",
        "BackupNeverSucceeded",
        {
            backup("last_run_timestamp_seconds", **_HERE): always(0),
            backup(_SUCCESS, source=STORE, instance="mon", **_HERE): always(0),
        },
        "65m",
        ({**SHOP, **_HERE},),
    ),
    Case("the textfile has gone", "BackupMissing", {backup(_SUCCESS): until(3, 0)}, "35m", (SHOP,)),
    Case("it went almost 35 days ago", "BackupMissing", {backup(_SUCCESS): until(3, 0)}, "840h", (SHOP,)),
    Case("it went more than 35 days ago", "BackupMissing", {backup(_SUCCESS): until(3, 0)}, "876h"),
    Case(
        "one machine still tells of a run, and the other's store was emptied",
        "BackupMissing",
        {
            backup(_SUCCESS): always(0),
            backup(_SUCCESS, source=STORE, instance="mon"): until(3, 0),
            store(_READ, instance="mon"): always(0),
        },
        "35m",
        ({**SHOP, "instance": "mon"},),
    ),
    Case("for a moment it was not there", "BackupMissing", {backup(_SUCCESS): f"0+0x2 _x2 0+0x{FOREVER}"}, "20m"),
    Case(
        "the store was emptied, while a run says that it made one",
        "BackupMissing",
        {
            backup(_SUCCESS): always(0),
            backup(_SUCCESS, source=STORE): until(3, 0),
            store(_READ): always(0),
        },
        "35m",
        (SHOP,),
    ),
    Case("nothing is known", "BackupMetricsAbsent", {"up{job='node'}": always(1)}, "65m", ({},)),
    Case("nothing is known yet", "BackupMetricsAbsent", {"up{job='node'}": always(1)}, "55m"),
    Case("something is known", "BackupMetricsAbsent", _ORDINARY, "65m"),
    Case("less than half", "BackupSizeDropped", _sizes(until(3, 1000, 499)), "20m", (_SHOP_BACKUP,)),
    Case("half", "BackupSizeDropped", _sizes(until(3, 1000, 500)), "20m"),
    Case("three days later", "BackupSizeDropped", _sizes(until(3, 1000, 499)), "72h"),
    Case(
        "a third more, after two weeks of the same",
        "BackupSizeUnusual",
        _sizes("999+0x7 1001+0x47 1300+0x9"),
        "342h",
        (_SHOP_BACKUP,),
    ),
    Case(
        "a hundredth more",
        "BackupSizeUnusual",
        _sizes("999+0x7 1001+0x47 1011+0x9"),
        "342h",
    ),
    Case("steady growth", "BackupSizeUnusual", _sizes("1000+10x99"), "342h"),
    Case("new, without a trend", "BackupSizeUnusual", _sizes("999+0x2 1001+0x8 2000+0x9"), "78h"),
    Case(
        "a weekly one",
        "BackupSizeUnusual",
        _sizes("999+0x7 1001+0x47 1300+0x9", tier="weekly"),
        "342h",
    ),
    Case("above 80 % of the limit", "BackupTooSlow", {backup("duration_seconds"): always(2881)}, "5m", (_SHOP_BACKUP,)),
    Case("at 80 % of the limit", "BackupTooSlow", {backup("duration_seconds"): always(2880)}, "5m"),
    Case(
        "an archive is gone",
        "BackupUnsound",
        {series("dbbackup_catalog_unsound_backups", tier="daily", source=STORE): always(1)},
        "35m",
        ({**_SHOP_BACKUP, "source": STORE},),
    ),
    Case(
        "all archives are there",
        "BackupUnsound",
        {series("dbbackup_catalog_unsound_backups", tier="daily", source=STORE): always(0)},
        "35m",
    ),
    *(
        case
        for alert, name, ring, quiet in (
            ("BackupManifestUnreadable", "unreadable_manifests", "35m", "25m"),
            ("BackupUnmanifested", "unmanifested_archives", "25h", "23h"),
        )
        for case in (
            Case(
                "there are some",
                alert,
                {store(f"dbbackup_catalog_{name}"): always(1)},
                ring,
                ({"job": "node", "instance": "db1", "source": STORE},),
            ),
            Case("they are new", alert, {store(f"dbbackup_catalog_{name}"): always(2)}, quiet),
            Case("there are none", alert, {store(f"dbbackup_catalog_{name}"): always(0)}, ring),
        )
    ),
    Case(
        "a restore failed six days ago",
        "RestoreFailed",
        _RESTORE_FAILED,
        "162h",
        ({**SHOP, "source": "run"},),
    ),
    Case("a restore failed a week ago", "RestoreFailed", _RESTORE_FAILED, "174h"),
    Case(
        "a restore succeeded",
        "RestoreFailed",
        {series("dbbackup_restore_last_run_success", source="run"): always(1)},
        "5m",
    ),
    Case(
        "a rehearsal broke off after the one whose evidence there is",
        "RehearsalFailed",
        {
            rehearsal("last_run_success"): always(0),
            rehearsal("last_run_timestamp_seconds"): always(200),
            rehearsal("last_run_success", STORE): always(1),
            rehearsal("last_run_timestamp_seconds", STORE): always(100),
        },
        "5m",
        (SHOP,),
    ),
    Case(
        "there is evidence of a later one that passed",
        "RehearsalFailed",
        {
            rehearsal("last_run_success"): always(0),
            rehearsal("last_run_timestamp_seconds"): always(100),
            rehearsal("last_run_success", STORE): always(1),
            rehearsal("last_run_timestamp_seconds", STORE): always(200),
        },
        "5m",
    ),
    Case(
        "another machine tells of a later one that passed",
        "RehearsalFailed",
        {
            rehearsal("last_run_success"): always(0),
            rehearsal("last_run_timestamp_seconds"): always(100),
            rehearsal("last_run_success", STORE, instance="mon"): always(1),
            rehearsal("last_run_timestamp_seconds", STORE, instance="mon"): always(200),
        },
        "5m",
    ),
    Case(
        "a later one of another server passed",
        "RehearsalFailed",
        {
            rehearsal("last_run_success", STORE): always(0),
            rehearsal("last_run_timestamp_seconds", STORE): always(100),
            rehearsal("last_run_success", _SECOND_STORE, **_DEV): always(1),
            rehearsal("last_run_timestamp_seconds", _SECOND_STORE, **_DEV): always(200),
        },
        "5m",
        (SHOP,),
    ),
    Case(
        "it was another machine's localhost that passed later",
        "RehearsalFailed",
        {
            rehearsal("last_run_success", **_HERE): always(0),
            rehearsal("last_run_timestamp_seconds", **_HERE): always(100),
            rehearsal("last_run_success", instance="db2", **_HERE): always(1),
            rehearsal("last_run_timestamp_seconds", instance="db2", **_HERE): always(200),
        },
        "5m",
        ({**SHOP, **_HERE},),
    ),
    Case(
        "the last one failed long ago, and none has passed since",
        "RehearsalFailed",
        {rehearsal("last_run_success"): always(0), rehearsal("last_run_timestamp_seconds"): always(0)},
        "720h",
        (SHOP,),
    ),
    *(
        Case(
            f"no backup was found to rehearse with, {at} ago",
            "RehearsalFailed",
            {
                rehearsal("last_run_success", server=""): always(0),
                rehearsal("last_run_timestamp_seconds", server=""): always(0),
            },
            at,
            labels,
        )
        for at, labels in (("162h", ({**SHOP, "server": ""},)), ("174h", ()))
    ),
    Case(
        "none has passed for 35 days",
        "RehearsalMissing",
        {rehearsal(_SUCCESS): always(0), **_ORDINARY},
        "864h",
        (SHOP,),
    ),
    Case(
        "another machine tells of one that has passed since",
        "RehearsalMissing",
        {rehearsal(_SUCCESS): always(0), rehearsal(_SUCCESS, STORE, instance="mon"): always(1_728_000), **_ORDINARY},
        "864h",
    ),
    Case(
        "another machine tells of the only one",
        "RehearsalMissing",
        {rehearsal(_SUCCESS, STORE, instance="mon"): always(1_728_000), **_ORDINARY},
        "864h",
    ),
    Case(
        "only those of another server have passed",
        "RehearsalMissing",
        {rehearsal(_SUCCESS, _SECOND_STORE, **_DEV): always(1_728_000), **_ORDINARY},
        "864h",
        (SHOP,),
    ),
    Case(
        "only those of another machine's localhost have passed",
        "RehearsalMissing",
        {rehearsal(_SUCCESS, instance="db2", **_HERE): always(1_728_000), backup(_SUCCESS, **_HERE): always(0)},
        "864h",
        ({**SHOP, **_HERE},),
    ),
    Case("the database was given up", "RehearsalMissing", {rehearsal(_SUCCESS): always(0)}, "864h"),
    Case("one has passed 30 days ago", "RehearsalMissing", {rehearsal(_SUCCESS): always(0), **_ORDINARY}, "720h"),
    Case("none has ever passed", "RehearsalMissing", _ORDINARY, "864h", (SHOP,)),
    Case("there are backups, but not yet for so long", "RehearsalMissing", _ORDINARY, "828h"),
    Case(
        "one has passed since",
        "RehearsalMissing",
        {rehearsal(_SUCCESS): until(40, 0, 1_728_000), **_ORDINARY},
        "864h",
    ),
    Case(
        "slower than the objective",
        "RehearsalTooSlow",
        {rehearsal("recovery_time_seconds", plane="dump"): always(7201)},
        "5m",
        (SHOP,),
    ),
    Case(
        "as slow as the objective",
        "RehearsalTooSlow",
        {rehearsal("recovery_time_seconds", plane="dump"): always(7200)},
        "5m",
    ),
    Case(
        "evidence was altered",
        "EvidenceDamaged",
        {store("dbbackup_catalog_evidence_problems"): always(1)},
        "5m",
        ({"job": "node", "instance": "db1", "source": STORE},),
    ),
    Case("evidence is whole", "EvidenceDamaged", {store("dbbackup_catalog_evidence_problems"): always(0)}, "5m"),
    Case("20 minutes without a younger one", "RecoveryPointOld", {_RESTORABLE: always(0)}, "25m", (_PROD,)),
    Case("a quarter of an hour", "RecoveryPointOld", {_RESTORABLE: always(0)}, "15m"),
    Case("always five minutes behind", "RecoveryPointOld", {_RESTORABLE: "-300+300x20"}, "60m"),
    Case("nobody asks any more", "RecoveryPointOld", {_RESTORABLE: f"0 300 _x{FOREVER}"}, "2h", (_PROD,)),
    Case("nobody asks any more, for a moment", "RecoveryPointOld", {_RESTORABLE: "0 300 _ _ 1200+300x20"}, "25m"),
    Case(
        "the file is three hours old",
        "BackupMetricsStale",
        {series(_MTIME, database="", server="", file=_FILE): always(0)},
        "3h30m",
        ({"job": "node", "instance": "db1", "file": _FILE},),
    ),
    Case(
        "an older node_exporter names the file without its folder",
        "BackupMetricsStale",
        {series(_MTIME, database="", server="", file="dbbackup_catalog.prom"): always(0)},
        "3h30m",
        ({"job": "node", "instance": "db1", "file": "dbbackup_catalog.prom"},),
    ),
    Case(
        "files of runs and of others may be old",
        "BackupMetricsStale",
        {
            series(_MTIME, database="", server="", file="dbbackup_backup_shop_monthly.prom"): always(0),
            series(_MTIME, database="", server="", file="other.prom"): always(0),
        },
        "3h30m",
    ),
    Case(
        "the file is fresh",
        "BackupMetricsStale",
        {series(_MTIME, database="", server="", file=_FILE): always(3600)},
        "3h30m",
    ),
    Case(
        "a file cannot be read",
        "BackupMetricsUnreadable",
        {series("node_textfile_scrape_error", database="", server=""): always(1), backup(_SUCCESS): until(1, 0)},
        "20m",
        ({"job": "node", "instance": "db1"},),
    ),
    Case(
        "it is a machine that has nothing to do with backups",
        "BackupMetricsUnreadable",
        {series("node_textfile_scrape_error", database="", server="", instance="web1"): always(1), **_ORDINARY},
        "20m",
    ),
    Case(
        "all files can be read",
        "BackupMetricsUnreadable",
        {series("node_textfile_scrape_error", database="", server=""): always(0), **_ORDINARY},
        "20m",
    ),
)
