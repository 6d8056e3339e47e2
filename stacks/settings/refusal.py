"""How a setting is refused: where it is, what it is, which rule it breaks, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

REFUSED: Final = "refused"
"""Type of our own errors inside pydantic's, which carry the rule and the fix apart from each other."""


class SettingsError(Exception):
    """Settings that must not be synthesized; its text is for the person who wrote them."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One setting that breaks one rule."""

    path: str
    value: str
    rule: str
    fix: str

    def render(self) -> str:
        """The block that the user reads."""
        return f"  {self.path}\n    value: {self.value}\n    rule:  {self.rule}\n    fix:   {self.fix}"


def refused(*refusals: Refusal, environment: str = "") -> SettingsError:
    """Error to raise for settings that break these rules."""
    of = f" of {environment}" if environment else ""
    blocks = "\n\n".join(refusal.render() for refusal in refusals)
    return SettingsError(f"Settings{of} refused, nothing was synthesized:\n\n{blocks}\n")


def refuse(*, value: object, rule: str, fix: str, at: str = "") -> PydanticCustomError:
    """Error to raise from a validator; ``at`` names the field when a whole group of settings is checked."""
    return PydanticCustomError(REFUSED, "{rule}", {"at": at, "value": value, "rule": rule, "fix": fix})


def between(low: int, high: int, *, unit: str, why: str) -> AfterValidator:
    """Validator of a whole number from ``low`` to ``high``, both included."""

    def check(number: int) -> int:
        if not low <= number <= high:
            raise refuse(
                value=number,
                rule=f"{low} to {high} {unit}: {why}",
                fix=f"write a whole number from {low} to {high}",
            )
        return number

    return AfterValidator(check)


def accepted_by(check: Callable[[str], str | None], *, fix: str) -> AfterValidator:
    """Validator of a text: ``check`` answers with the rule that the text breaks, or None."""

    def validate(text: str) -> str:
        rule = check(text)
        if rule is not None:
            raise refuse(value=text, rule=rule, fix=fix)
        return text

    return AfterValidator(validate)


def one_of(*allowed: Any, why: str) -> AfterValidator:
    """Validator of a value that AWS accepts from a list only."""

    def check(value: Any) -> Any:
        if value not in allowed:
            listed = ", ".join(str(choice) for choice in allowed)
            raise refuse(value=value, rule=f"one of {listed}: {why}", fix="choose a value from the list")
        return value

    return AfterValidator(check)
