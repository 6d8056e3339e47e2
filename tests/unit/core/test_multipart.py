from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.multipart import (
    GIB,
    GROWTH_EVERY,
    MAX_OBJECT_BYTES,
    MAX_PART_BYTES,
    MAX_PARTS,
    MIB,
    MIN_PART_BYTES,
    STEADY_PARTS,
    first_part_bytes,
    part_bytes,
)

EXPECTATIONS = st.integers(min_value=0, max_value=2 * MAX_OBJECT_BYTES)
S3_SMALLEST = 5 * MIB
S3_LARGEST = 5 * GIB


def _capacity(expected: int) -> int:
    first = first_part_bytes(expected)
    return sum(part_bytes(number, first) for number in range(1, MAX_PARTS + 1))


@given(EXPECTATIONS, st.integers(1, MAX_PARTS))
def test_every_part_is_of_a_size_that_s3_takes(expected: int, number: int) -> None:
    assert S3_SMALLEST <= part_bytes(number, first_part_bytes(expected)) <= S3_LARGEST


@given(EXPECTATIONS, st.integers(1, MAX_PARTS - 1))
def test_parts_never_shrink(expected: int, number: int) -> None:
    first = first_part_bytes(expected)
    assert part_bytes(number, first) <= part_bytes(number + 1, first)


@pytest.mark.parametrize("expected", [0, 1, GIB, 39 * GIB, 500 * GIB, 10_000 * GIB, 40_000 * GIB, MAX_OBJECT_BYTES])
def test_a_stream_of_the_expected_length_fits_in_the_parts(expected: int) -> None:
    assert _capacity(expected) >= min(expected, MAX_OBJECT_BYTES)


def test_the_largest_object_that_s3_allows_can_be_reached() -> None:
    assert _capacity(MAX_OBJECT_BYTES) == MAX_OBJECT_BYTES == 50_000 * GIB


def test_parts_stay_small_for_databases_of_usual_size() -> None:
    steady = STEADY_PARTS * MIN_PART_BYTES
    assert first_part_bytes(0) == first_part_bytes(steady) == MIN_PART_BYTES <= 8 * MIB
    assert first_part_bytes(steady + 1) > MIN_PART_BYTES
    assert steady >= 24 * GIB


def test_half_of_the_parts_are_equal_and_hold_all_that_is_expected() -> None:
    first = first_part_bytes(100 * GIB)
    assert {part_bytes(number, first) for number in range(1, STEADY_PARTS + 1)} == {first}
    assert STEADY_PARTS * first >= 100 * GIB


def test_a_stream_that_outgrows_its_expectation_gets_larger_parts() -> None:
    first = first_part_bytes(GIB)
    assert part_bytes(STEADY_PARTS + 1, first) == 2 * first
    assert part_bytes(STEADY_PARTS + GROWTH_EVERY + 1, first) == 4 * first
    assert part_bytes(MAX_PARTS, first) == MAX_PART_BYTES
    assert _capacity(GIB) > 15_000 * GIB


@pytest.mark.parametrize("number", [-1, 0, MAX_PARTS + 1])
def test_a_part_number_that_s3_does_not_take_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="outside 1 to 10000"):
        part_bytes(number, MIN_PART_BYTES)
