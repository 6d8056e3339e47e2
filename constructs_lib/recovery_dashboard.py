"""The dashboard: whether the data could be got back, to be read in ten seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.dashboard_answers import alarm_tiles, answers
from constructs_lib.dashboard_graphs import (
    InstanceLimits,
    age_graphs,
    backup_graphs,
    instance_graphs,
    recovery_graphs,
    recovery_point_graph,
    setting_widgets,
)
from constructs_lib.dashboard_metrics import DashboardMetrics
from constructs_lib.dashboard_text import Contact, WayBack, first_aid
from dbbackup.contract_watch import WatchedSetting

SHOWN_DAYS = 14
_TILES = 14
"""Width of the alarms; what to do first is beside them."""


class RecoveryDashboard(Construct):
    """Answers on top, alarms and what to do first below, then the graphs.

    A value that is missing shows as missing: nothing is filled in but counts of what happened.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dashboard_name: str,
        environment: str,
        instance: str,
        database_names: Sequence[str],
        longest_backup_seconds: int,
        recoverability: cloudwatch.IAlarm,
        alarms: Mapping[str, Sequence[cloudwatch.IAlarm]],
        runbook_base_url: str,
        ways_back: Sequence[WayBack] = (),
        contacts: Sequence[Contact] = (),
        watched_settings: Sequence[WatchedSetting] = tuple(WatchedSetting),
        slow_percent: float = 80,
        least_size_ratio: float = 0.5,
        recovery_point_minutes: float = 15,
        rehearsal_objective_minutes: int | None = 120,
        instance_limits: InstanceLimits | None = None,
    ) -> None:
        """Put the dashboard into a stack.

        Args:
            scope: the stack.
            construct_id: name of the construct in it.
            dashboard_name: letters, digits, ``-`` and ``_``.
            environment: a dimension of our metrics.
            instance: identifier of the production instance.
            database_names: databases with backups.
            longest_backup_seconds: duration at which a backup is given up.
            recoverability: the alarm above all others.
            alarms: all others, in groups by title.
            runbook_base_url: where the runbooks are.
            ways_back: commands to be found here by somebody in a hurry.
            contacts: whom to call.
            watched_settings: what the probe compares with the templates.
            slow_percent: share of that duration at which a backup is too slow.
            least_size_ratio: size by the size before it that is too small.
            recovery_point_minutes: age of the recovery point that is too old.
            rehearsal_objective_minutes: how long a way back may take; None where none is rehearsed.
            instance_limits: where the alarms of the instance are raised.
        """
        super().__init__(scope, construct_id)
        metrics = DashboardMetrics(environment, instance)
        self.dashboard = dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=dashboard_name,
            default_interval=Duration.days(SHOWN_DAYS),
            # Datapoints of a whole fortnight would otherwise be drawn together, and the worst moment smoothed away.
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        dashboard.add_widgets(
            *answers(
                metrics,
                recoverability=recoverability,
                databases=database_names,
                objective_minutes=rehearsal_objective_minutes,
            )
        )
        tiles = alarm_tiles(alarms, width=_TILES)
        beside = 24 - _TILES
        advice = cloudwatch.TextWidget(
            markdown=first_aid(runbook_base_url=runbook_base_url, ways_back=ways_back, contacts=contacts),
            width=beside,
            height=4 + 3 * len(ways_back) // 2 + len(contacts),
        )
        lost = recovery_point_graph(
            metrics,
            most_minutes=recovery_point_minutes,
            width=beside,
            height=max(6, sum(int(tile.height) for tile in tiles) - int(advice.height)),
        )
        dashboard.add_widgets(_column(*tiles), _column(advice, lost))
        self._heading("Backups")
        dashboard.add_widgets(*age_graphs(metrics, database_names))
        for database in database_names:
            for row in backup_graphs(
                metrics,
                database,
                longest_seconds=longest_backup_seconds,
                slow_percent=slow_percent,
                least_size_ratio=least_size_ratio,
            ):
                dashboard.add_widgets(*row)
        self._heading("The way back")
        dashboard.add_widgets(*recovery_graphs(metrics, database_names, objective_minutes=rehearsal_objective_minutes))
        if watched_settings:
            self._heading("Settings that recovery relies on")
            dashboard.add_widgets(*setting_widgets(metrics, watched_settings))
        self._heading(f"The instance {instance}")
        dashboard.add_widgets(*instance_graphs(metrics, instance_limits or InstanceLimits()))

    def _heading(self, text: str) -> None:
        self.dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {text}", width=24, height=1))


def _column(*widgets: cloudwatch.IWidget) -> cloudwatch.IWidget:
    # A column is a widget; its Python class does not declare the warnings that the protocol asks for.
    return cast("cloudwatch.IWidget", cloudwatch.Column(*widgets))
