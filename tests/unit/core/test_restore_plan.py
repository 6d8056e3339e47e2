from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbbackup.core.restore_plan import ExistingDatabase, Plan, RestoreOptions, ServerState, Skip, make_plan
from dbbackup.core.restore_script import Needs
from dbbackup.core.toc import parse_listing

LISTING = """;
;     Dumped from database version: 18.6
;     Dumped by pg_dump version: 18.6
;
2; 3079 16400 EXTENSION - hstore\x20
3370; 0 0 COMMENT - EXTENSION hstore\x20
219; 1259 16389 TABLE public customer shop
220; 1259 16395 TABLE public purchase shop
3371; 0 16389 TABLE DATA public customer shop
3372; 0 16395 TABLE DATA public purchase shop
3373; 0 16500 MATERIALIZED VIEW DATA public totals shop
3374; 2613 16600 BLOB METADATA - 16600 shop
3375; 0 0 BLOBS - BLOBS shop
3376; 0 0 COMMENT - LARGE OBJECT 16600 shop
3377; 0 0 ACL - LARGE OBJECT 16600 shop
3380; 2606 16403 FK CONSTRAINT public purchase purchase_customer_id_fkey shop
3381; 0 0 SEQUENCE SET public counter shop
"""
NOBODY: frozenset[str] = frozenset()
SERVER = ServerState(
    version="18.6",
    major=18,
    user="admin",
    superuser=True,
    may_create_databases=True,
    in_recovery=False,
    roles=frozenset({"admin", "shop"}),
    extensions=frozenset({"hstore", "plpgsql"}),
    tablespaces=frozenset({"pg_default"}),
    cron_database=None,
    existing=None,
)
EXISTING = ExistingDatabase("shop", "shop", 1000)
PARTIAL = RestoreOptions("rescue", tables=(("public", "purchase"),))


def _plan(
    listing: str = LISTING,
    server: ServerState = SERVER,
    options: RestoreOptions | None = None,
    needs: Needs | None = None,
    **more: Any,
) -> Plan:
    defaults = {"client_major": 18, "wanted_oids": None, "has_role_dump": True}
    return make_plan(
        parse_listing(listing),
        needs or Needs(frozenset({"shop"}), NOBODY, NOBODY, NOBODY),
        server,
        options or RestoreOptions("shop"),
        **{**defaults, **more},
    )


def _needing(*, owners: str = "shop", grantees: str = "", named: str = "", tablespaces: str = "") -> Needs:
    return Needs(*(frozenset(names.split()) for names in (owners, grantees, named, tablespaces)))


def test_an_archive_that_fits_is_restored_whole() -> None:
    assert _plan() == Plan()


def test_a_standby_and_a_user_without_the_right_to_create_databases_stand_in_the_way() -> None:
    plan = _plan(server=replace(SERVER, in_recovery=True, may_create_databases=False))
    standby, right = plan.blockers
    assert "read-only standby" in standby
    assert "ALTER ROLE admin CREATEDB" in right


class TestRoles:
    NEEDS = _needing(owners="shop gone", grantees="reader")

    def test_missing_roles_stand_in_the_way_and_the_ways_out_are_named(self) -> None:
        (blocker,) = _plan(needs=self.NEEDS).blockers
        assert "does not have: gone, reader." in blocker
        assert "--create-roles" in blocker
        assert "--no-owner --no-privileges" in blocker

    def test_without_a_role_dump_creating_them_is_not_offered(self) -> None:
        plan = _plan(needs=self.NEEDS, has_role_dump=False, options=RestoreOptions("shop", create_roles=True))
        assert plan.roles_to_create == ()
        assert "--create-roles" not in plan.blockers[0]

    def test_they_can_be_left_out(self) -> None:
        options = RestoreOptions("shop", owner=False, privileges=False)
        assert _plan(needs=self.NEEDS, options=options).blockers == ()

    def test_leaving_one_kind_out_leaves_the_other_missing(self) -> None:
        without_owner = _plan(needs=self.NEEDS, options=RestoreOptions("shop", owner=False))
        assert "does not have: reader." in without_owner.blockers[0]
        without_grants = _plan(needs=self.NEEDS, options=RestoreOptions("shop", privileges=False))
        assert "does not have: gone." in without_grants.blockers[0]

    def test_they_can_be_created(self) -> None:
        plan = _plan(needs=self.NEEDS, options=RestoreOptions("shop", create_roles=True))
        assert plan.blockers == ()
        assert plan.roles_to_create == ("gone", "reader")

    def test_roles_of_policies_cannot_be_left_out(self) -> None:
        plan = _plan(needs=_needing(named="auditor"), options=RestoreOptions("shop", owner=False, privileges=False))
        (blocker,) = plan.blockers
        assert "policies or user mappings that name auditor" in blocker
        assert "leaves ownership" not in blocker


class TestExtensions:
    def test_an_extension_that_the_server_does_not_have_stands_in_the_way(self) -> None:
        (blocker,) = _plan(server=replace(SERVER, extensions=frozenset({"plpgsql"}))).blockers
        assert "The extension hstore is not available" in blocker

    def test_comments_on_extensions_are_left_to_superusers(self) -> None:
        plan = _plan(server=replace(SERVER, superuser=False))
        (skip,) = plan.skips
        assert skip.what == "COMMENT - EXTENSION hstore"
        assert plan.use_list is not None
        assert "COMMENT - EXTENSION" not in plan.use_list
        assert len(plan.use_list.splitlines()) == 12

    LISTING = LISTING + "9; 3079 1 EXTENSION - pg_cron \n10; 0 0 COMMENT - EXTENSION pg_cron \n"

    def test_pg_cron_lives_in_one_database_only(self) -> None:
        plan = _plan(self.LISTING, replace(SERVER, cron_database="postgres"))
        assert plan.blockers == ()
        assert [skip.what for skip in plan.skips] == ["EXTENSION - pg_cron", "COMMENT - EXTENSION pg_cron"]
        assert "lives in the database postgres only" in plan.skips[0].why
        assert "pg_cron" not in (plan.use_list or "")

    def test_without_pg_cron_on_the_server_it_is_missing_like_any_other(self) -> None:
        assert "The extension pg_cron is not available" in _plan(self.LISTING).blockers[0]


def test_missing_tablespaces_are_done_without() -> None:
    plan = _plan(needs=_needing(tablespaces="fast pg_default"))
    assert plan.blockers == ()
    assert plan.no_tablespaces
    assert plan.skips == (Skip("TABLESPACE fast", "not on this server; its objects go to the default tablespace"),)
    assert not _plan(needs=_needing(tablespaces="pg_default")).no_tablespaces


@pytest.mark.parametrize(
    ("server", "client_major", "note"),
    [
        (replace(SERVER, version="17.2", major=17), 18, "archive is of PostgreSQL 18.6, the server is 17.2"),
        (SERVER, 17, "pg_restore of 17 is older"),
    ],
)
def test_versions_that_differ_are_noted(server: ServerState, client_major: int, note: str) -> None:
    (found,) = _plan(server=server, client_major=client_major).notes
    assert note in found


def test_what_may_need_more_rights_is_noted() -> None:
    listing = LISTING + "11; 0 1 EVENT TRIGGER - guard shop\n12; 0 1 PUBLICATION - all shop\n"
    notes = _plan(listing, replace(SERVER, superuser=False)).notes
    assert [note.split(":")[0] for note in notes] == ["EVENT TRIGGER - guard shop", "PUBLICATION - all shop"]
    assert _plan(listing).notes == ()


class TestPart:
    def test_only_the_wanted_data_and_the_whole_structure(self) -> None:
        plan = _plan(options=PARTIAL, wanted_oids=frozenset({16395}))
        kept = (plan.use_list or "").splitlines()
        assert [line.split()[0] for line in kept] == ["2;", "3370;", "219;", "220;", "3372;", "3381;"]
        assert plan.blockers == ()

    def test_what_is_left_out_is_reported(self) -> None:
        key, data = _plan(options=PARTIAL, wanted_oids=frozenset({16395})).skips
        assert key.what == "FK CONSTRAINT public purchase purchase_customer_id_fkey shop"
        assert "rows that are not restored" in key.why
        assert data.what == "data of 6 other objects"

    def test_it_never_replaces_a_database(self) -> None:
        plan = _plan(server=replace(SERVER, existing=EXISTING), options=PARTIAL, wanted_oids=frozenset({16395}))
        assert "the rest of it would be lost" in plan.blockers[0]

    def test_a_whole_restore_may(self) -> None:
        assert _plan(server=replace(SERVER, existing=EXISTING)).blockers == ()


def test_the_listing_says_what_server_it_is_of() -> None:
    contents = parse_listing(LISTING)
    assert (contents.server_version, contents.server_major) == ("18.6", 18)
    assert contents.extensions == ("hstore",)
    beta = parse_listing(";     Dumped from database version: 19beta1 (Debian 19~beta1)\n")
    assert (beta.server_version, beta.server_major) == ("19beta1", 19)
    assert parse_listing("").server_major is None
