"""Sizes of the parts of a multipart upload whose total length nobody knows beforehand.

S3 takes 10,000 parts of 5 MiB to 5 GiB each, so an object may have up to 48.8 TiB
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). Parts are held in memory, because a
part that failed must be sent again; small parts keep memory small, and equal parts keep it constant.
"""

from __future__ import annotations

MIB = 1024**2
GIB = 1024**3
MAX_PARTS = 10_000
MIN_PART_BYTES = 5 * MIB
MAX_PART_BYTES = 5 * GIB
MAX_OBJECT_BYTES = MAX_PARTS * MAX_PART_BYTES
"""The largest object S3 allows: 10,000 parts of 5 GiB, or 48.8 TiB."""
STEADY_PARTS = 5_000
"""This many parts are of the first size; a stream that outgrows the estimate gets larger ones after that."""
GROWTH_EVERY = 100


def first_part_bytes(expected_bytes: int) -> int:
    """Size of the first parts for a stream expected to be at most ``expected_bytes`` long.

    The expectation fits in the steady half of the parts, so a dump may grow past it and still fit.
    Up to an expectation of 24 GiB that is S3's minimum of 5 MiB.
    """
    wanted = -(-min(expected_bytes, MAX_OBJECT_BYTES) // STEADY_PARTS)
    rounded = -(-wanted // MIB) * MIB
    return min(MAX_PART_BYTES, max(MIN_PART_BYTES, rounded))


def part_bytes(number: int, first: int) -> int:
    """Size of part ``number`` (from 1) when the first parts have ``first`` bytes.

    Raises:
        ValueError: for a part number that S3 does not take.
    """
    if not 1 <= number <= MAX_PARTS:
        raise ValueError(f"part {number} is outside 1 to {MAX_PARTS}")
    if number <= STEADY_PARTS:
        return first
    doublings = 1 + (number - STEADY_PARTS - 1) // GROWTH_EVERY
    return min(MAX_PART_BYTES, first << min(doublings, 40))
