"""The alarm on top is one that CloudWatch takes, or the settings are refused before anything is synthesized."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns

from constructs_lib import Recoverability
from constructs_lib.recoverability import LONGEST_RULE, MOST_ALARMS, TooManyPromisesError
from devtools.alarm_templates import read_alarms
from stacks.settings import SettingsError
from stacks.system import add_stacks
from tests.infrastructure.synthesis import Synthesized, cdk_context, settings_of

LONG = "d" * 46


def refusal(**changes: Any) -> dict[str, str]:
    """What is said of settings, by label."""
    app = App(context=cdk_context(), analytics_reporting=False, stack_traces=False)
    with pytest.raises(SettingsError) as refused:
        add_stacks(app, settings_of("prod", **changes))
    path, *lines = [line.strip() for line in str(refused.value).split("\n\n")[1].splitlines()]
    return {"path": path, **dict(line.split(": ", 1) for line in lines)}


def alarms(count: int, *, characters: int) -> list[cloudwatch.IAlarm]:
    stack = Stack(App(), "Theirs")
    metric = cloudwatch.Metric(namespace="theirs", metric_name="m")
    return [
        cloudwatch.Alarm(
            stack,
            f"A{number}",
            metric=metric,
            threshold=1,
            evaluation_periods=1,
            alarm_name=f"a{number:03}".ljust(characters, "x") if characters else None,
        )
        for number in range(count)
    ]


def over(promises: list[cloudwatch.IAlarm]) -> Recoverability:
    stack = Stack.of(promises[0])
    return Recoverability(
        stack,
        "Recoverability",
        name_prefix="theirs",
        promises=promises,
        action=actions.SnsAction(sns.Topic(stack, "Topic")),
        runbook_base_url="docs",
    )


def test_more_databases_than_one_alarm_can_look_at_are_refused() -> None:
    said = refusal(database__names=[f"d{number}" for number in range(24)])
    assert said["path"] == "database.names"
    assert said["value"] == "24 databases: 104 alarms"
    assert f"{MOST_ALARMS} others at most" in said["rule"]
    assert "existing_instance" in said["fix"]


def test_names_that_make_the_rule_too_long_are_refused() -> None:
    said = refusal(name="n" * 20, database__names=[f"{LONG}{number}" for number in range(10, 33)])
    assert said["path"] == "database.names"
    assert f"{LONGEST_RULE} characters at most" in said["rule"]
    assert re.fullmatch(r"23 databases: a rule of 1\d{4} characters over 100 alarms", said["value"])


def test_a_rule_goes_up_to_the_last_character() -> None:
    # ALARM("...") and " OR " are 13 characters, and there is one " OR " less than alarms.
    fits = (LONGEST_RULE + 4) // 40 - 13
    over(alarms(40, characters=fits))
    with pytest.raises(TooManyPromisesError, match="characters at most"):
        over(alarms(40, characters=fits + 1))


def test_a_name_that_nobody_knows_yet_counts_as_the_longest() -> None:
    over(alarms(38, characters=0))
    with pytest.raises(TooManyPromisesError, match="characters at most"):
        over(alarms(39, characters=0))


def test_a_hundred_alarms_are_taken_and_none_are_not() -> None:
    over(alarms(100, characters=4))
    with pytest.raises(TooManyPromisesError, match="100 others at most"):
        over(alarms(101, characters=4))
    with pytest.raises(ValueError, match="one other at least"):
        Recoverability(
            Stack(),
            "R",
            name_prefix="x",
            promises=[],
            action=actions.SnsAction(sns.Topic(Stack(), "Topic")),
            runbook_base_url="docs",
        )


def test_the_rule_names_alarms_that_are_there_first(prod: Synthesized) -> None:
    """By references: CloudFormation makes what is referred to before what refers to it."""
    parts = prod["monitoring"].only("AWS::CloudWatch::CompositeAlarm")["AlarmRule"]["Fn::Join"][1]
    references = [part for part in parts if not isinstance(part, str)]
    assert {kind for each in references for kind in each} == {"Ref", "Fn::ImportValue"}
    rule = read_alarms(prod.folder).composite["ftry-prod-recoverability"].rule
    assert len(re.findall(r'ALARM\("ftry-prod-[\w-]+"\)', rule)) == len(references)
