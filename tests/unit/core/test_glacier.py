from __future__ import annotations

import pytest

from dbbackup.core.errors import InvalidRequestError
from dbbackup.core.glacier import ARCHIVE_CLASSES, DEEP, FLEXIBLE, Retrieval, check_way, terms_of


def test_the_fastest_way_comes_first() -> None:
    assert list(terms_of(FLEXIBLE)) == [Retrieval.EXPEDITED, Retrieval.STANDARD, Retrieval.BULK]
    assert list(terms_of(DEEP)) == [Retrieval.STANDARD, Retrieval.BULK]


def test_what_is_not_archived_has_no_terms() -> None:
    assert terms_of("STANDARD") == {}
    assert "STANDARD" not in ARCHIVE_CLASSES


def test_terms_say_time_and_price() -> None:
    terms = check_way(DEEP, Retrieval.STANDARD)
    assert terms.takes == "within 12 hours"
    assert terms.usd_per_gib == pytest.approx(0.02)


def test_faster_ways_never_cost_less() -> None:
    for storage_class in ARCHIVE_CLASSES:
        prices = [terms.usd_per_gib for terms in terms_of(storage_class).values()]
        assert prices == sorted(prices, reverse=True)


def test_deep_archive_has_no_expedited_retrieval() -> None:
    with pytest.raises(InvalidRequestError, match="no expedited retrieval") as refusal:
        check_way(DEEP, Retrieval.EXPEDITED)
    assert refusal.value.action == "Choose one of: standard, bulk."


@pytest.mark.parametrize(("way", "word"), [("expedited", "Expedited"), ("standard", "Standard"), ("bulk", "Bulk")])
def test_ways_have_the_word_of_s3(way: str, word: str) -> None:
    assert Retrieval(way).s3_tier == word
