"""What is wrong with a document, in words that never quote its values: one of them may be a secret."""

from __future__ import annotations

from pydantic import ValidationError


def problems_of(error: ValidationError, whole: str) -> str:
    """Every field that was refused, and why.

    Args:
        error: of the validation.
        whole: what to call the document where the problem is not in one of its fields.
    """
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or whole}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False)
    )
