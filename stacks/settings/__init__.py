"""Settings of one environment: read from the CDK context, checked before anything is synthesized."""

from stacks.settings.load import load
from stacks.settings.refusal import SettingsError
from stacks.settings.root import Settings

__all__ = ["Settings", "SettingsError", "load"]
