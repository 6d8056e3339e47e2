"""Names in the pages are names in the templates, and what nobody can know by heart is printed by a command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs.commands import ROOT, pages, shown_commands
from tests.infrastructure.synthesis import Synthesized, Template

FOLDER: Final = ROOT / "docs" / "runbooks"
NAME: Final = re.compile(r"ftry-prod(?:[-/][\w-]*\w)?")
MADE_LATER: Final = re.compile(
    r"ftry-prod(?:-(?:old|pitr|rehearsal)(?:-\d{8}-\d{6}(?:-\w+)?)?|-plain|-encrypted|/database-AbCdEf)"
)
"""What is named when it is made: instances, executions, snapshots, the end of a secret's ARN."""
GENERATED: Final = {
    "--bucket",
    "--execution-arn",
    "--key-id",
    "--kms-key-id",
    "--queue-url",
    "--receipt-handle",
    "--state-machine-arn",
    "--topic-arn",
}
"""Options whose value AWS makes."""
OF_ELSEWHERE: Final = {"GITHUB_SHA"}
LINK: Final = "(README.md#names-you-need)"


def _set_in(text: str) -> set[str]:
    return set(re.findall(r"^ *([A-Z_]+)=\$\(", text, re.M))


def _used_in(text: str) -> set[str]:
    return set(re.findall(r"\$\{?([A-Z_]+)", text)) - OF_ELSEWHERE


def test_every_name_in_the_pages_is_one_of_the_templates(prod: Synthesized) -> None:
    there = set(prod.stacks)
    for stack in prod.parts:
        there.update(NAME.findall(json.dumps(prod[stack].body["Resources"])))
    assert "ftry-prod-notifications" in there
    for page in pages():
        # Records of decisions and of changes name what there was.
        if "decisions" in page.parts:
            continue
        unknown = {name for name in NAME.findall(page.read_text()) if not MADE_LATER.fullmatch(name)} - there
        assert not unknown, f"{page.relative_to(ROOT)}: {sorted(unknown)}"


def test_no_command_of_a_runbook_asks_for_a_name_that_somebody_must_look_up() -> None:
    seen = 0
    for shown in [*shown_commands("aws"), *shown_commands("dbbackup")]:
        if not shown.page.startswith("docs/runbooks/"):
            continue
        for option, value in zip(shown.words, shown.words[1:], strict=False):
            if option in GENERATED:
                seen += 1
                assert value.startswith("$"), shown
        if shown.words[:2] == ("aws", "s3"):
            assert any(word.startswith("s3://$BUCKET/") for word in shown.words), shown
    assert seen > 40


@pytest.mark.parametrize("page", sorted(path.name for path in FOLDER.glob("*.md")))
def test_a_page_sets_the_variables_of_its_commands_or_says_where_they_are_set(page: str) -> None:
    text = (FOLDER / page).read_text()
    elsewhere = _used_in(text) - _set_in(text)
    if elsewhere:
        assert LINK in text
        assert elsewhere <= _set_in((FOLDER / "README.md").read_text())


def test_the_name_of_the_bucket_is_an_output_for_whoever_restores(prod: Synthesized) -> None:
    storage: Template = prod["storage"]
    output = storage.body["Outputs"]["BackupBucketName"]
    assert output["Value"] == {"Ref": "BackupsBucket2936A3AA"}
    assert "`BackupBucketName`" in Path(FOLDER / "README.md").read_text()
