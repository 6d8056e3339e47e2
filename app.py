"""The CDK app: settings, stacks, templates. Run by the ``cdk`` command, as cdk.json says."""

from __future__ import annotations

import sys

from aws_cdk import App

from stacks.settings import SettingsError, load
from stacks.system import add_stacks


def main() -> None:
    """Write the templates of one environment, or say which setting is wrong."""
    app = App(analytics_reporting=False, stack_traces=False)
    # Traces hold paths of this machine, and the same settings must give the same bytes everywhere.
    app.node.set_context("aws:cdk:disable-creation-stack-traces", True)
    try:
        settings = load(app.node)
        add_stacks(app, settings)
    except SettingsError as refused:
        print(f"\n{refused}", file=sys.stderr, flush=True)  # noqa: T201 - this is the command's answer
        sys.exit(1)
    app.synth()


if __name__ == "__main__":
    main()
