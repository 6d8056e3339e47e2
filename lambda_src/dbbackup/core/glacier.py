"""What asking an archived object back takes and costs.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html; prices of
us-east-1, USD for each GiB retrieved, without requests and the temporary copy: https://aws.amazon.com/s3/pricing/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from dbbackup.core.errors import InvalidRequestError

FLEXIBLE: Final = "GLACIER"
DEEP: Final = "DEEP_ARCHIVE"
ARCHIVE_CLASSES: Final = frozenset({FLEXIBLE, DEEP})
COPY_DAYS: Final = 3
"""Days that the readable copy stays."""


class Retrieval(StrEnum):
    """How fast an object comes back."""

    EXPEDITED = "expedited"
    STANDARD = "standard"
    BULK = "bulk"

    @property
    def s3_tier(self) -> Literal["Expedited", "Standard", "Bulk"]:
        """S3's own word."""
        return _S3_TIERS[self]


_S3_TIERS: Final[dict[Retrieval, Literal["Expedited", "Standard", "Bulk"]]] = {
    Retrieval.EXPEDITED: "Expedited",
    Retrieval.STANDARD: "Standard",
    Retrieval.BULK: "Bulk",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """Time and price of one way."""

    takes: str
    usd_per_gib: float


TERMS: Final[dict[tuple[str, Retrieval], Terms]] = {
    (FLEXIBLE, Retrieval.EXPEDITED): Terms("1 to 5 minutes", 0.03),
    (FLEXIBLE, Retrieval.STANDARD): Terms("3 to 5 hours", 0.01),
    (FLEXIBLE, Retrieval.BULK): Terms("5 to 12 hours", 0.0),
    (DEEP, Retrieval.STANDARD): Terms("within 12 hours", 0.02),
    (DEEP, Retrieval.BULK): Terms("within 48 hours", 0.0025),
}


def terms_of(storage_class: str) -> dict[Retrieval, Terms]:
    """The ways that a storage class offers, the fastest first."""
    return {way: TERMS[storage_class, way] for way in Retrieval if (storage_class, way) in TERMS}


def check_way(storage_class: str, way: Retrieval) -> Terms:
    """The terms of a way.

    Raises:
        InvalidRequestError: this class does not offer it.
    """
    terms = TERMS.get((storage_class, way))
    if terms is None:
        offered = ", ".join(terms_of(storage_class))
        raise InvalidRequestError(
            f"{storage_class} has no {way.value} retrieval.",
            untouched="Nothing was asked back.",
            action=f"Choose one of: {offered}.",
        )
    return terms
