from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbbackup.core.client_fit import (
    Client,
    choose_for_archive,
    choose_for_dump,
    minor_note,
    version_of,
    version_text,
)

VERSIONS = st.builds("{}.{}".format, st.integers(12, 19), st.integers(0, 24))


def _clients(*versions: str) -> list[Client]:
    return [Client(Path(f"/{number}"), f"place {number}", version) for number, version in enumerate(versions)]


@pytest.mark.parametrize(
    ("installed", "server", "chosen"),
    [
        (("16.4", "18.6"), "18.6", "18.6"),  # PATH has an older one
        (("18.6", "16.4"), "16.4", "16.4"),  # and a later one: what that writes, 16 may not read
        (("18.6", "17.10"), "16.4", "17.10"),
        (("14.1", "15.2"), "16.4", "15.2"),  # refused then, with the latest named
        (("17.2", "17.10"), "17.10", "17.10"),
        (("17.10", "17.11"), "17.9", "17.10"),  # the first of those that are not older
        (("17.2", "17.4"), "17.10", "17.4"),
        (("19beta1", "18.6"), "18.6", "18.6"),
    ],
)
def test_the_client_for_a_dump(installed: tuple[str, ...], server: str, chosen: str) -> None:
    assert choose_for_dump(_clients(*installed), server).client.version == chosen


@pytest.mark.parametrize(
    ("installed", "made_by", "server", "chosen"),
    [
        (("16.4", "18.6"), "18.6", "16.4", "18.6"),  # 16 cannot read the archive
        (("18.6", "16.4"), "16.4", "16.4", "16.4"),
        (("18.6", "17.1"), "16.4", "16.4", "17.1"),
        (("16.4", "17.1"), "16.4", None, "16.4"),
        (("16.4", "17.1"), "16.4", "18.6", "17.1"),
        (("16.4",), "17.1", "18.6", None),
    ],
)
def test_the_client_for_an_archive(
    installed: tuple[str, ...], made_by: str, server: str | None, chosen: str | None
) -> None:
    choice = choose_for_archive(_clients(*installed), made_by=made_by, server=server)
    assert (None if choice is None else choice.client.version) == chosen


@given(st.lists(VERSIONS, min_size=1), VERSIONS)
def test_a_server_that_some_client_can_dump_is_never_refused(installed: list[str], server: str) -> None:
    chosen = choose_for_dump(_clients(*installed), server).client
    able = [client for client in _clients(*installed) if client.major >= version_of(server)[0]]
    assert not able or chosen.major == min(client.major for client in able)
    notes = [minor_note(client.version, server) for client in able if client.major == chosen.major]
    assert minor_note(chosen.version, server) is None or None not in notes


@given(st.lists(VERSIONS, min_size=1), VERSIONS, VERSIONS)
def test_an_archive_goes_to_a_client_that_reads_it_if_there_is_one(
    installed: list[str], made_by: str, server: str
) -> None:
    choice = choose_for_archive(_clients(*installed), made_by=made_by, server=server)
    able = [version for version in installed if version_of(version)[0] >= version_of(made_by)[0]]
    assert (choice is None) == (not able)
    assert choice is None or choice.client.version in able


@pytest.mark.parametrize(
    ("client", "server", "said"),
    [
        ("17.5", "17.6", "CVE-2025-8715"),
        ("15.2", "15.18", "hash-partitioned by an enum, whose rows are refused"),
        ("18.5", "18.6", "Install 18.6 or later"),
        ("18beta1", "18.0", "Install 18.0 or later"),
    ],
)
def test_an_older_minor_release_is_told_of(client: str, server: str, said: str) -> None:
    note = minor_note(client, server)
    assert note is not None
    assert said in note
    assert client in note


@pytest.mark.parametrize(
    ("client", "server"), [("18.6", "18.6"), ("18.6", "18.4"), ("18.0", "17.11"), ("17.1", "18.6")]
)
def test_no_older_minor_release_no_note(client: str, server: str) -> None:
    assert minor_note(client, server) is None


def test_what_was_mended_before_is_not_told_of() -> None:
    assert "CVE" not in (minor_note("17.6", "17.10") or "")


def test_versions_are_read_from_numbers_and_texts() -> None:
    assert version_text(180006) == "18.6"
    assert version_of("17.10 (Debian 17.10-1.pgdg12+1)") == (17, 10)
    with pytest.raises(ValueError, match="no version"):
        version_of("?")
