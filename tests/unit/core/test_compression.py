from __future__ import annotations

import pytest

from dbbackup.core.compression import Compression, Method, choose_compression
from dbbackup.core.errors import InvalidRequestError


def test_auto_means_zstd_where_the_client_has_it_and_gzip_elsewhere() -> None:
    assert str(choose_compression(Method.AUTO, 9, client_has_zstd=True)) == "zstd:9"
    assert str(choose_compression(Method.AUTO, 9, client_has_zstd=False)) == "gzip:9"


def test_gzip_is_kept_where_it_is_asked_for() -> None:
    assert choose_compression(Method.GZIP, 6, client_has_zstd=True) == Compression(Method.GZIP, 6)


def test_zstd_is_refused_where_the_client_lacks_it() -> None:
    with pytest.raises(InvalidRequestError, match="built without it") as refused:
        choose_compression(Method.ZSTD, 9, client_has_zstd=False)
    assert "auto or gzip" in refused.value.action


@pytest.mark.parametrize(
    ("method", "level"), [(Method.GZIP, 0), (Method.GZIP, 10), (Method.ZSTD, 23), (Method.AUTO, -1)]
)
def test_a_level_that_the_method_lacks_is_refused_and_named(method: Method, level: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"level {level} is outside 1 to"):
        choose_compression(method, level, client_has_zstd=True)


def test_a_client_before_16_is_told_a_bare_level() -> None:
    chosen = Compression(Method.GZIP, 9)
    assert (chosen.pg_dump_value(15), chosen.pg_dump_value(16)) == ("9", "gzip:9")
