from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from dbbackup.core import commands
from dbbackup.core.compression import Compression, Method


def test_the_dump_is_of_the_snapshot_in_custom_format_without_a_prompt() -> None:
    assert commands.dump("/bin/pg_dump", snapshot="0-1", compression=Compression(Method.ZSTD, 9), client_major=18) == (
        "/bin/pg_dump",
        "--format=custom",
        "--compress=zstd:9",
        "--snapshot=0-1",
        "--lock-wait-timeout=300s",
        "--no-password",
        "--verbose",
    )


def test_roles_are_dumped_without_password_hashes() -> None:
    assert commands.dump_roles("pg_dumpall", database="ftry") == (
        "pg_dumpall",
        "--globals-only",
        "--no-role-passwords",
        "--no-password",
        "--database=dbname='ftry'",
    )


def test_an_archive_is_listed_and_read_to_its_end() -> None:
    assert commands.list_contents("pg_restore") == ("pg_restore", "--list")
    assert commands.write_data("pg_restore", use_list="/tmp/list") == (
        "pg_restore",
        "--format=custom",
        "--exit-on-error",
        "--use-list=/tmp/list",
        "--file=-",
    )


@pytest.mark.parametrize("name", ["a=b", "host=elsewhere", "it's", "back\\slash", "a b", "postgresql://x/y", "n\nl"])
def test_a_database_name_is_never_taken_for_connection_parameters(name: str) -> None:
    assert conninfo_to_dict(commands.conninfo_database(name)) == {"dbname": name}


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_any_database_name_survives_its_quoting(name: str) -> None:
    assert conninfo_to_dict(commands.conninfo_database(name)) == {"dbname": name}
