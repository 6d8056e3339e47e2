"""An alarm at night leads to a page that exists."""

from __future__ import annotations

import re
from pathlib import Path

from tests.infrastructure.synthesis import Synthesized

ROOT = Path(__file__).resolve().parents[2]
INDEX = ROOT / "docs" / "runbooks" / "README.md"


def test_every_alarm_names_a_runbook_that_exists_and_is_in_the_index(prod: Synthesized) -> None:
    alarms = prod["monitoring"].all("AWS::CloudWatch::Alarm")
    index = INDEX.read_text()

    assert alarms
    for alarm in alarms:
        named = re.findall(r"docs/runbooks/[\w-]+\.md", alarm["AlarmDescription"])
        assert len(named) == 1
        page = ROOT / named[0]
        assert page.is_file()
        assert f"({page.name})" in index
