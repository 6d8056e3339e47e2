"""Show what `cdk synth` wrote: one line for each stack, for whoever wants to know before deploying."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent


class BadOutputError(Exception):
    """The folder holds nothing that `cdk synth` wrote."""


def stacks_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Template of each stack, by the name of the stack, in the order in which they are deployed."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        artifacts = {
            name: artifact
            for name, artifact in manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        templates = {
            artifact.get("properties", {}).get("stackName", name): {
                **json.loads((folder / artifact["properties"]["templateFile"]).read_text()),
                "protected": artifact["properties"].get("terminationProtection", False),
            }
            for name, artifact in artifacts.items()
        }
    except FileNotFoundError as missing:
        raise BadOutputError(f"{missing.filename} is not there") from missing
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as broken:
        raise BadOutputError(f"{folder} is incomplete or was not written by cdk synth ({broken!r})") from broken
    if not templates:
        raise BadOutputError(f"{folder} holds no stack")
    return templates


def table_of(templates: dict[str, dict[str, Any]]) -> Table:
    """The table that is shown."""
    table = Table(title="CloudFormation, synthesized", title_justify="left")
    table.add_column("stack", no_wrap=True)
    table.add_column("resources", justify="right")
    table.add_column("protected")
    table.add_column("what it is")
    for name, template in templates.items():
        kinds = Counter(resource["Type"] for resource in template.get("Resources", {}).values())
        table.add_row(
            name, str(kinds.total()), "yes" if template["protected"] else "no", template.get("Description", "")
        )
    return table


def main() -> None:
    """Read the folder and show it; exit with 1 where it is not what `cdk synth` writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "cdk.out", help="default: cdk.out")
    folder: Path = parser.parse_args().folder
    try:
        templates = stacks_in(folder)
    except BadOutputError as problem:
        sys.exit(f"No synthesized stacks to show: {problem}.\nRun `make synth` first; if you did, remove {folder}.")
    console = Console()
    console.print(table_of(templates))
    total = sum(len(template.get("Resources", {})) for template in templates.values())
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    console.print(f"{len(templates)} stacks, {total} resources in {shown}/*.template.json", soft_wrap=True)
    console.print(
        "Next, with the same --context: `cdk diff` compares them with your account, `cdk deploy --all` makes it so.",
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
