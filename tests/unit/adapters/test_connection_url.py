"""``DATABASE_URL`` as people have it."""

from __future__ import annotations

import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.adapters.connection_url import is_postgres, read_url
from dbbackup.core.errors import InvalidRequestError

WHOLE = {"host": "h", "port": "5433", "user": "u", "password": "p", "database": "d"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h:5433/d",
        "postgres://u:p@h:5433/d",
        "postgresql+asyncpg://u:p@h:5433/d",
        "postgres+pg8000://u:p@h:5433/d",
        "jdbc:postgresql://h:5433/d?user=u&password=p",
        "postgis://u:p@h:5433/d",
        " postgresql://u:p@h:5433/d\n",
        "postgresql:///?host=h&port=5433&user=u&password=p&dbname=d",
        "host=h port=5433 user=u password=p dbname=d",
        "host = h  port='5433' user=u password='p' dbname=d",
    ],
)
def test_every_form_says_the_same(url: str) -> None:
    assert is_postgres(url)
    assert dict(read_url(url).values) == WHOLE
    assert read_url(url).notes == ()


@pytest.mark.parametrize(
    ("url", "values"),
    [
        ("postgresql://", {}),
        ("postgresql://:@/", {}),
        ("postgresql:///d", {"database": "d"}),
        ("postgresql://h", {"host": "h"}),
        ("postgresql://u@/d?host=/var/run/postgresql", {"user": "u", "database": "d", "host": "/var/run/postgresql"}),
        ("postgresql://%2Fvar%2Frun/d", {"host": "/var/run", "database": "d"}),
        ("postgresql:///d?host=%40abstract", {"host": "@abstract", "database": "d"}),
        ("postgresql://[2001:db8::1]:5433/d", {"host": "2001:db8::1", "port": "5433", "database": "d"}),
        ("postgresql://a:1,[::2]:2,c/d", {"host": "a,::2,c", "port": "1,2,", "database": "d"}),
        ("postgresql://h/my%20da%2Fta%3Fbase", {"host": "h", "database": "my da/ta?base"}),
        ("postgresql://u%40server:p%25w@h/d", {"user": "u@server", "password": "p%w", "host": "h", "database": "d"}),
        ("postgresql://u:a:b@h/d", {"user": "u", "password": "a:b", "host": "h", "database": "d"}),
        ("postgresql://h/d?user=u@server", {"user": "u@server", "host": "h", "database": "d"}),
        ("postgresql://h/d?options=-csearch_path=a", {"options": "-csearch_path=a", "host": "h", "database": "d"}),
        ("postgresql://h/d?options=endpoint%3Dx", {"options": "endpoint=x", "host": "h", "database": "d"}),
        ("postgresql://h/d?ssl=true", {"sslmode": "require", "host": "h", "database": "d"}),
        ("postgresql://h/d?sslmode=verify-full&ssl=true", {"sslmode": "verify-full", "host": "h", "database": "d"}),
        ("postgresql://h/d?ssl=verify-ca", {"sslmode": "verify-ca", "host": "h", "database": "d"}),
        ("postgresql://h/d?application_name=app&client_encoding=latin1", {"host": "h", "database": "d"}),
    ],
)
def test_unusual_parts_are_read_as_libpq_reads_them(url: str, values: dict[str, str]) -> None:
    read = read_url(url)
    assert dict(read.values) == values
    assert read.notes == ()


def test_every_parameter_of_libpq_is_taken() -> None:
    more = "sslcert=/c&sslkey=/k&sslpassword=x&passfile=/p&require_auth=scram-sha-256&channel_binding=require"
    more += "&target_session_attrs=read-write&connect_timeout=3&sslrootcert=system&gssencmode=disable&keepalives=0"
    read = read_url(f"postgresql://h/d?{more}").values
    assert read == {"host": "h", "database": "d", **dict(part.split("=", 1) for part in more.split("&"))}


@pytest.mark.parametrize(
    "query",
    [
        "schema=public",
        "schema=public&connection_limit=5&pgbouncer=true",
        "pool_timeout=0&sslaccept=strict&statement_cache_size=0",
        "uselibpqcompat=true",
        "pool=true&pool_size=3&max-conns=1",
        "currentSchema=a,b",
        "prepareThreshold",
        "surprise=1",
    ],
)
def test_parameters_of_others_are_left_out_and_named(query: str) -> None:
    read = read_url(f"postgresql://u:p@h:5433/d?{query}")
    assert dict(read.values) == WHOLE
    (note,) = read.notes
    assert ", ".join(part.partition("=")[0] for part in query.split("&")) in note


@pytest.mark.parametrize(
    ("sslmode", "meant"), [("no-verify", "require"), ("VERIFY_IDENTITY", "verify-full"), ("VerifyCA", "verify-ca")]
)
def test_another_drivers_sslmode_is_taken_for_libpqs_word_and_explained(sslmode: str, meant: str) -> None:
    read = read_url(f"postgresql://h/d?sslmode={sslmode}")
    assert read.values["sslmode"] == meant
    assert meant in read.notes[0]


def test_a_hash_in_the_password_is_read_and_explained() -> None:
    read = read_url("postgresql://u:hunter2#x@h/d")
    assert read.values["password"] == "hunter2#x"
    assert "%23" in read.notes[0]
    assert "hunter2" not in read.notes[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:hunter2@h/d", "begin with postgresql://"),
        ("u:hunter2@h/d", "begin with postgresql://"),
        ("postgres//hunter2", "begin with postgresql://"),
        ('"postgresql://u:hunter2@h/d"', "quote"),
        ("postgresql://u:hunter2@h:port/d", "port"),
        ("postgresql://u:hunter2@h:99999/d", "port"),
        ("postgresql://u:hunter2@[::1/d", "brackets"),
        ("postgresql://u:hunter2@2001:db8::1:5433/d", "brackets"),
        ("postgresql://u:hun@ter2@h/d", "more than one @"),
        ("postgresql://u:12/hunter2@h/d", "behind a /"),
        ("postgresql://u:hunter2/with-a-slash@h/d", "@"),
        ("postgresql://u:p@/hunter2@h/d", "@"),
        ("postgresql://u:a/b?hunter2=d@h/d", "?"),
        ("postgresql://u:hunter2%@h/d", "%"),
        ("postgresql://u:hunter2%zz@h/d", "%"),
        ("postgresql://u:hunter2%00@h/d", "%"),
        ("host=h password=hunter2 schema=x", "a parameter that libpq does not know"),
        ("host=h hunter2", "libpq cannot read it"),
        ("password='hunter2", "libpq cannot read it"),
    ],
)
def test_what_cannot_be_understood_is_refused_without_showing_it(url: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match="DATABASE_URL cannot be used") as refused:
        read_url(url)
    everything = "".join(traceback.format_exception(refused.value)) + repr(refused.value.as_dict())
    assert refused.value.__cause__ is refused.value.__context__ is None
    assert why in refused.value.what
    assert not [part for part in ("hunter2", "hun@", "ter2", url) if part in everything]
    assert "percent-encoded" in refused.value.action
    assert "%40" in refused.value.action


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_percent_encoded_password_is_read(password: str) -> None:
    read = read_url(f"postgresql://u:{quote(password, safe='')}@h:5432/d").values
    assert (read["password"], read["host"], read["port"]) == (password, "h", "5432")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_password_that_is_not_encoded_is_never_shown_nor_taken_for_a_host(password: str) -> None:
    secret = f"Xq{password}Zw"
    try:
        read = read_url(f"postgresql://user:{secret}@host:5432/base")
    except InvalidRequestError as refused:
        shown = str(refused)
    else:
        shown = " ".join(read.notes)
        assert (read.values["host"], read.values["port"], read.values["database"]) == ("host", "5432", "base")
    assert not [part for part in ("Xq", "Zw") if part in shown]
