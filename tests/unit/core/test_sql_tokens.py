from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.sql_tokens import Statement, statements, tokens

# Pieces of SQL that could lead astray where one ends and the next begins, and any text between them.
PIECES = ("'", '"', "$$", "$a$", "/*", "*/", "--", "\n", "\\", "E'", "(", ")", ";", ".", "10", "TO", "it", " ", "''")
SQL = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NAMES = TEXT.filter(bool)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _texts(sql: str) -> list[str]:
    return [token.text for token in tokens(sql)]


def _one(sql: str) -> Statement:
    (statement,) = statements(sql)
    return statement


@given(SQL)
def test_tokens_are_slices_of_the_text_in_order(sql: str) -> None:
    end = 0
    for token in tokens(sql):
        assert end <= token.start < token.end
        assert sql[token.start : token.end] == token.text
        end = token.end


@given(NAMES)
def test_any_name_in_quotes_comes_back(name: str) -> None:
    (token,) = tokens(quoted(name))
    assert (token.kind, token.identifier) == ("name", name)
    assert not token.is_word(name.upper())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _body(text: str) -> str:
    return "$body$" + text.replace("$", "") + "$body$"


def _nested_comment(text: str) -> str:
    return "/* /* " + text.replace("*", "").replace("/", "") + " */ */"


def _line(text: str) -> str:
    return "--" + text.replace("\n", "").replace("\r", "") + "\n"


CLOSED = TEXT.flatmap(
    lambda text: st.sampled_from(
        [quote(text) for quote in (_literal, _escaped, _body, _nested_comment, _line)] + [quoted(text or "x"), "(a; b)"]
    )
)


@given(st.lists(st.lists(CLOSED, min_size=1, max_size=4), max_size=4))
def test_statements_end_at_semicolons_outside_quotes_comments_and_parentheses_alone(parts: list[list[str]]) -> None:
    written = [f"SELECT {' '.join(each)};" for each in parts]
    assert [each.sql for each in statements("\n".join(written))] == written


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("", []),
        ("-- nothing\n/* at /* all */ */", []),
        ("a--b\nc", ["a", "c"]),
        ("a--b\rc", ["a", "c"]),
        ("'it''s' \"a\"\"b\"", ["'it''s'", '"a""b"']),
        (r"E'it\'s' e'\\' 'a\' b", [r"E'it\'s'", r"e'\\'", r"'a\'", "b"]),
        ("$$a;'$$ $x$ $$ $x$", ["$$a;'$$", "$x$ $$ $x$"]),
        ("$1 a$b$c", ["$", "1", "a$b$c"]),
        ("LIMIT 100 -1.5", ["LIMIT", "100", "-", "1.5"]),
        ("public.t", ["public", ".", "t"]),
        ("'open", ["'", "open"]),
        ("/* open", []),
    ],
)
def test_what_is_one_token(sql: str, texts: list[str]) -> None:
    assert _texts(sql) == texts


def test_a_keyword_is_known_in_any_case_but_not_in_quotes_nor_as_a_part_of_a_name() -> None:
    word, name, schema, _, table = tokens('grant "GRANT" set.support')
    assert word.is_word("GRANT")
    assert not any(token.is_word("GRANT", "SET", "SUPPORT") for token in (name, schema, table))
    assert [schema.identifier, table.identifier] == ["set", "support"]


def test_unquoted_names_are_folded() -> None:
    assert [token.identifier for token in tokens('Shop "Shop"')] == ["shop", "Shop"]


def test_the_last_statement_needs_no_semicolon() -> None:
    assert [each.sql for each in statements(" SELECT 1; SELECT 2 \n")] == ["SELECT 1;", "SELECT 2"]


def test_words_are_found_outside_parentheses_alone() -> None:
    statement = _one("CREATE POLICY p ON t USING ((a TO b)) TO reader, x")
    assert [token.text for token in statement.after("TO")] == ["reader", ",", "x"]
    assert statement.after("TO", "b") == ()
    assert statement.has("CREATE", "POLICY")
    assert not statement.has("A", "TO")


@pytest.mark.parametrize(("words", "begins"), [(("ALTER",), True), (("ALTER", "ROLE"), True), (("ROLE",), False)])
def test_a_statement_begins_with_its_first_words(words: tuple[str, ...], begins: bool) -> None:
    assert _one("alter ROLE x").begins(*words) is begins


def test_nothing_begins_with_more_words_than_it_has() -> None:
    assert not _one("ALTER").begins("ALTER", "ROLE")
