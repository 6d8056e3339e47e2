"""``dbbackup verify`` on dumps that others made."""

from __future__ import annotations

import bz2
import gzip
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.postgres import Server
from tests.foreign.dumps import COVERS, FORMS, RECORDED, covered, dump
from tests.support.buckets import Bucket
from tests.support.command import Ended
from tests.support.databases import DatabaseMaker
from tests.support.restores import SAVED, cli

ROWS = 347


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same database in every form."""
    database = DatabaseMaker(server.master)()
    database.execute(SAVED + "; SELECT lo_from_bytea(0, repeat('large ', 9999)::bytea)")
    folder = tmp_path_factory.mktemp("dumps")
    return {name: dump(database, folder / name, *options) for name, options in FORMS.items()}


def verify(path: str | Path, server: Server, **environment: str) -> Ended:
    return cli("verify", path, "--json", environment={"PG_BINDIR": str(server.bindir), **environment})


def said(path: Path, server: Server) -> str:
    """What is wrong with it, in words; never a traceback, and never nothing."""
    ended = verify(path, server)
    assert ended.status in (1, 2), ended.out
    assert set(ended.document) >= {"error", "what", "action"}
    assert ended.document["action"]
    return str(ended.document["what"])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_to_its_end_and_nobody_vouches_for_it(
    made: dict[str, Path], form: str, server: Server
) -> None:
    ended = verify(made[form], server)
    assert ended.status == 0, ended.err
    assert ended.document["tables_with_data"] == 3
    assert ended.document["digest_matches_manifest"] is None
    if form not in ("custom", "script of inserts"):  # ours in form, and counted as ours are
        assert ended.document["rows"] == ROWS
    text = cli("verify", made[form], environment={"PG_BINDIR": str(server.bindir)}).out
    assert "no manifest" in text
    assert "nobody vouches" in text


@pytest.mark.parametrize("how", COVERS)
@pytest.mark.parametrize("form", ["custom", "tar", "script"])
def test_every_form_is_found_in_every_compression(made: dict[str, Path], form: str, how: str, server: Server) -> None:
    ended = verify(covered(made[form], how), server)
    assert ended.status == 0, ended.err
    assert ended.document["tables_with_data"] == 3
    assert how.split()[0] in ended.document["form"]


@pytest.mark.parametrize("name", sorted(path.name for path in RECORDED.iterdir()))
def test_dumps_of_older_servers(name: str, server: Server) -> None:
    ended = verify(RECORDED / name, server)
    assert ended.status == 0, ended.err
    assert ended.document["tables_with_data"] == 2


@pytest.mark.parametrize("cover", ["", "gzip", "zstd", "xz", "bzip2"])
@pytest.mark.parametrize("form", ["custom", "tar", "script", "script of inserts"])
def test_a_dump_cut_anywhere_is_named_as_that(
    made: dict[str, Path], form: str, cover: str, server: Server, tmp_path: Path
) -> None:
    whole = (covered(made[form], cover) if cover else made[form]).read_bytes()
    # pg_dump's own last line and, in a tar file, the script after the data are the last that matters.
    chance = random.Random(form + cover)
    for size in (
        0,
        1,
        20,
        len(whole) // 2,
        len(whole) - 1100,
        *(chance.randrange(len(whole) - 1100) for _ in range(2)),
    ):
        if 0 <= size < len(whole):
            path = tmp_path / "cut"
            path.write_bytes(whole[:size])
            assert said(path, server)


def test_a_folder_whose_files_are_missing_or_cut_is_named(
    made: dict[str, Path], server: Server, tmp_path: Path
) -> None:
    for number in range(4):
        folder = shutil.copytree(made["directory"], tmp_path / f"copy{number}")
        files = sorted(folder.glob("*.dat.gz"))
        match number:
            case 0:
                files[0].unlink()
                assert "missing" in said(folder, server)
            case 1:
                files[0].write_bytes(files[0].read_bytes()[:-3])
                assert files[0].name in said(folder, server)
            case 2:
                (folder / "toc.dat").write_bytes((folder / "toc.dat").read_bytes()[:500])
                assert "table of contents" in said(folder, server)
            case 3:
                (folder / "toc.dat").unlink()
                assert "no dump in directory format" in said(folder, server)
    assert "Give the folder in it: dump" in verify(_parent(made["directory"], tmp_path), server).err


def _parent(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "parent" / "dump")
    return tmp_path / "parent"


def test_what_unpacks_to_more_than_a_dump_can_be_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbbackup.core.uncover._HARMLESS_BYTES", 1 << 20)
    path = tmp_path / "bomb"
    path.write_bytes(bz2.compress(b"-- PostgreSQL database dump\n\nCOPY t FROM stdin;\n" + b"1\n" * (8 << 20)))
    assert "more than 1000 times its size" in said(path, server)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_damage_and_any_bytes_are_answered_in_words(
    made: dict[str, Path], server: Server, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = made[data.draw(st.sampled_from(["custom", "tar", "script"]))].read_bytes()
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    if data.draw(st.booleans()):
        body = bytearray(gzip.compress(bytes(body)))
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] ^= data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("any") / "dump"
    path.write_bytes(bytes(body))
    ended = verify(path, server)
    assert ended.status in (0, 1, 2)
    assert ended.document["status" if ended.status == 0 else "what"]


def test_an_object_in_a_bucket_that_somebody_else_put_there(
    made: dict[str, Path], server: Server, bucket: Bucket, tmp_path: Path
) -> None:
    bucket.put("heroku/latest", covered(made["tar"], "gzip").read_bytes())
    ended = cli(
        "verify", f"s3://{bucket.name}/heroku/latest", "--json", "--scratch", tmp_path,
        environment={"PG_BINDIR": str(server.bindir), **bucket.aws.environment()},
    )  # fmt: skip
    assert ended.status == 0, ended.err
    assert ended.document["rows"] == ROWS
    assert list(tmp_path.iterdir()) == []
