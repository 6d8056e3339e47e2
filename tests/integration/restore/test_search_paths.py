"""A function may rely on the search path of a role, wherever that was set; what needs it is made with that path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dbbackup.core.search_paths import paths_in_role_dump
from devtools.postgres import Server
from tests.support.as_master import Ground, ground_on

RELYING = """
    SET ROLE app; CREATE SCHEMA "hid,den"; SET search_path = "hid,den", public;
    CREATE TABLE rates (value int); INSERT INTO rates VALUES (3);
    CREATE FUNCTION public.valid(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE
      AS $$ BEGIN RETURN n < (SELECT max(value) * 1000 FROM rates); END $$;
    CREATE TABLE public.sale (id int PRIMARY KEY, amount int CHECK (public.valid(amount)));
    INSERT INTO public.sale SELECT n, n FROM generate_series(1, 30) n;
    GRANT SELECT ON public.sale TO reader
"""


@pytest.fixture
def ground(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.chdir(tmp_path)
    with ground_on(server, tmp_path / "backups", "app", "reader") as made:
        made.execute(RELYING)
        yield made


@pytest.mark.parametrize("role", ["app", "reader"])
def test_the_path_of_an_owner_or_grantee_is_tried(ground: Ground, role: str) -> None:
    ground.root.execute(f'ALTER ROLE {role} SET search_path = "hid,den", "$user"')
    assert ground.backup().status == 0
    before = ground.dump()
    for target in ("another", ground.name):
        ended = ground.restore(to=target)
        assert ended.status == 0, ended.out + ended.err
        assert ground.dump(target) == before


def test_of_a_role_that_is_lost_it_comes_from_the_role_dump(ground: Ground) -> None:
    ground.root.execute('ALTER ROLE reader SET search_path = "hid,den", "$user"')
    assert ground.backup().status == 0
    ground.root.execute(f'DROP DATABASE "{ground.name}" WITH (FORCE)')
    ground.root.execute("DROP ROLE reader")
    for to, options in (("without", ("--no-owner", "--no-privileges")), (ground.name, ("--create-roles",))):
        ended = ground.restore(*options, to=to)
        assert ended.status == 0, ended.out + ended.err
        assert ground.root.value("SELECT count(*) FROM sale", to) == 30


def test_a_role_dump_is_read_as_the_catalogue_has_it() -> None:
    dump = """
        ALTER ROLE app SET search_path TO 'hid,den', '$user', 'it''s "x"';
        ALTER ROLE app SET work_mem TO '1GB'; ALTER ROLE app RESET search_path; ALTER ROLE app;
        ALTER ROLE "Other" IN DATABASE x SET search_path TO 'no'; ALTER ROLE stranger SET search_path TO 'no';
        ALTER ROLE "Other" SET search_path TO '';
    """
    assert paths_in_role_dump(dump, {"app", "Other"}) == {"app": '"hid,den", "$user", "it\'s ""x"""', "Other": '""'}
