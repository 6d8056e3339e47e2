"""An alarm at night leads to a page that exists, and every page is led to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dbbackup.contract import Tier
from dbbackup.contract_watch import WatchedSetting
from devtools.alarm_templates import read_alarms
from tests.docs.commands import Shown, shown_commands
from tests.infrastructure.synthesis import Synthesized

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "runbooks"
INDEX = FOLDER / "README.md"
OF_RDS = "rds-events.md"
"""For messages of RDS itself, which no alarm of ours sends."""
NO_ALARM = {"README.md", "contacts.md"}


def _alarms(prod: Synthesized) -> list[tuple[str, str]]:
    """Name and page of every alarm of every stack."""
    found = []
    for stack in sorted(prod.parts):
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            for alarm in prod[stack].all(kind):
                named = re.findall(r"docs/runbooks/([\w-]+\.md)", alarm["AlarmDescription"])
                assert len(named) == 1, alarm["AlarmDescription"]
                found.append((alarm["AlarmName"], named[0]))
    return found


def _listed() -> dict[str, str]:
    """The table of alarms in the index: pattern of the name to page."""
    rows = re.findall(r"^\| `<name>-<env>-([^`]+)` \| \[[\w-]+\]\(([\w-]+\.md)\) \|$", INDEX.read_text(), re.M)
    return {"ftry-prod-" + re.sub("<[a-z]+>", "[a-z0-9-]+", name): page for name, page in rows}


def test_every_alarm_leads_to_its_page_and_is_in_the_index(prod: Synthesized) -> None:
    listed = _listed()
    alarms = _alarms(prod)
    assert len(alarms) >= 8
    for name, page in alarms:
        assert (FOLDER / page).is_file(), f"{name}: {page} is not there"
        assert page in {listed[pattern] for pattern in listed if re.fullmatch(pattern, name)}, name


def test_every_alarm_in_the_index_is_one_of_the_templates(prod: Synthesized) -> None:
    names = [name for name, _ in _alarms(prod)]
    for pattern in _listed():
        assert any(re.fullmatch(pattern, name) for name in names), f"{pattern}: no such alarm"


def test_every_page_belongs_to_an_alarm_or_to_something_to_do(prod: Synthesized) -> None:
    to_do = re.findall(r"\(([\w-]+\.md)\)", INDEX.read_text().split("| To do |")[1])
    led_to = {page for _, page in _alarms(prod)} | {*to_do, OF_RDS} | NO_ALARM
    assert {page.name for page in FOLDER.glob("*.md")} - led_to == set()


@pytest.mark.parametrize("page", sorted({*_listed().values(), OF_RDS}))
def test_every_page_says_what_is_at_risk_and_when_it_is_over(page: str) -> None:
    text = (FOLDER / page).read_text()
    for part in ("**Means**", "**At risk**", "\n1. ", "**Over**"):
        assert part in text, part


def test_the_page_of_the_alarm_on_top_names_the_alarms_below_it(prod: Synthesized) -> None:
    rule = read_alarms(prod.folder).composite["ftry-prod-recoverability"].rule
    below = {name.removeprefix("ftry-prod-") for name in re.findall(r'ALARM\("([^"]+)"\)', rule)}
    named = set()
    for row in re.findall(r"^\| (`[^|]+) \|", (FOLDER / "recoverability.md").read_text(), re.M):
        first, *others = re.findall("`([^`]+)`", row.replace("<database>", "ftry"))
        whole = [each if not each.startswith("-") else f"setting-drifted{each}" for each in others]
        named |= {first, *whole}
    assert named == below


def test_every_watched_setting_has_its_section_with_the_way_back() -> None:
    text = (FOLDER / "setting-drifted.md").read_text()
    for setting in WatchedSetting:
        section = text.split(f"\n## {setting.value}\n")[1].split("\n## ")[0]
        assert "\n    aws " in section, setting


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [*FOLDER.glob("*.md"), ROOT / "docs" / "troubleshooting.md"]:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)", page.read_text()):
            file = (page.parent / target).resolve() if target else page
            assert file.exists(), f"{page.name}: {target}"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
                slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
                assert anchor in slugs, f"{page.name}: {target}#{anchor}"


READS_SECONDS = 60
"""How long the AWS CLI waits for an answer before it sends the request again, up to five times in all.

https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
"""


def _function_of(shown: Shown) -> str:
    return shown.words[shown.words.index("--function-name") + 1]


def test_a_call_that_outlasts_the_patience_of_the_aws_cli_is_made_once_and_waited_for(prod: Synthesized) -> None:
    limits = {
        function["FunctionName"]: function["Timeout"]
        for stack in prod.parts
        for function in prod[stack].all("AWS::Lambda::Function")
        if "FunctionName" in function
    }
    calls = [shown for shown in shown_commands("aws") if shown.words[1:3] == ("lambda", "invoke")]
    long = [shown for shown in calls if limits[_function_of(shown)] > READS_SECONDS]
    assert {shown.page for shown in long} >= {"README.md", "docs/runbooks/backup-missing.md"}
    for shown in long:
        assert "AWS_MAX_ATTEMPTS=1" in shown.environment, shown
        waits = int(shown.words[shown.words.index("--cli-read-timeout") + 1])
        assert waits > limits[_function_of(shown)], shown


def test_the_first_backups_are_of_those_tiers_whose_alarms_ring_without_one() -> None:
    first = (ROOT / "README.md").read_text().split("5. **Deploy**")[1].split("## ")[0]
    assert f"for tier in {Tier.DAILY.value} {Tier.WEEKLY.value} {Tier.MONTHLY.value}; do" in first
