from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbbackup.core.archive_toc import Entry
from dbbackup.core.restore_plan import ExistingDatabase, Plan, RestoreOptions, ServerState, Skip
from dbbackup.core.restore_planning import make_plan
from dbbackup.core.restore_rights import Rights
from dbbackup.core.role_statements import RoleStatement
from tests.unit.core.archive_entries import contents, entry

HSTORE = entry(2, "EXTENSION", "hstore", definition="CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;")
HSTORE_COMMENT = entry(3, "COMMENT", "EXTENSION hstore", definition="COMMENT ON EXTENSION hstore IS 'maps';")
TABLE = entry(19, "TABLE", "customer", schema="public", owner="shop", drop="DROP TABLE t;", oid=16389)
DATA = entry(71, "TABLE DATA", "customer", schema="public", owner="shop", oid=16389, dependencies=(19,))
ARCHIVE = (HSTORE, HSTORE_COMMENT, TABLE, DATA)
SERVER = ServerState(
    version="18.6",
    major=18,
    user="admin",
    superuser=True,
    may_create_databases=True,
    in_recovery=False,
    roles=frozenset({"admin", "shop"}),
    extensions=frozenset({"hstore", "plpgsql", "pg_cron"}),
    tablespaces=frozenset({"pg_default", "fast"}),
    existing=None,
)
RIGHTS = Rights(
    superuser=True,
    acting=frozenset({"admin", "shop"}),
    extensions={"hstore": "maps", "pg_cron": "jobs"},
    languages=frozenset({"sql"}),
    tablespaces=frozenset({"pg_default", "fast"}),
)
MASTER = replace(RIGHTS, superuser=False)
EXISTING = ExistingDatabase("shop", "shop", 1000)
OPTIONS = RestoreOptions("shop")
NEITHER = RestoreOptions("shop", owner=False, privileges=False)


def _plan(
    *entries: Entry,
    server: ServerState = SERVER,
    rights: Rights = RIGHTS,
    options: RestoreOptions = OPTIONS,
    version: str = "18.6",
    **more: Any,
) -> Plan:
    usual = {"client_major": 18, "has_role_dump": True}
    return make_plan(contents(*entries or ARCHIVE, version=version), server, rights, options, **{**usual, **more})


def _owned(owner: str) -> Entry:
    return entry(30, "TABLE", "item", owner=owner, drop="DROP TABLE item;")


def _granting(*grantees: str) -> Entry:
    definition = "\n".join(f"GRANT ALL ON TABLE item TO {name};" for name in grantees)
    return entry(31, "ACL", "TABLE item", definition=definition, dependencies=(30,))


def _policy(role: str) -> Entry:
    return entry(32, "POLICY", "own", definition=f"CREATE POLICY own ON item TO {role} USING (true);")


@pytest.mark.parametrize("rights", [RIGHTS, MASTER], ids=["superuser", "master"])
def test_an_archive_that_fits_is_restored_whole(rights: Rights) -> None:
    plan = _plan(rights=rights)
    assert (plan.blockers, plan.skips, plan.notes) == ((), (), ())
    assert plan.acting == {"shop"}
    assert not plan.aside | plan.own.keys()


class TestServer:
    def test_a_standby_stands_in_the_way(self) -> None:
        (blocker,) = _plan(server=replace(SERVER, in_recovery=True)).blockers
        assert "read-only standby" in blocker

    def test_who_may_create_no_database_is_told_two_ways_out(self) -> None:
        (blocker,) = _plan(server=replace(SERVER, may_create_databases=False)).blockers
        assert "ALTER ROLE admin CREATEDB" in blocker
        assert "create an empty database that admin owns" in blocker

    def test_an_empty_database_is_filled_itself_then(self) -> None:
        server = replace(SERVER, may_create_databases=False, existing=replace(EXISTING, empty=True))
        plan = _plan(server=server)
        assert plan.in_place
        assert plan.blockers == ()
        assert "the empty database 'shop' itself is filled" in plan.notes[0]
        assert _plan(server=replace(server, existing=EXISTING)).blockers != ()

    @pytest.mark.parametrize(
        ("major", "archive", "client_major", "note"),
        [(17, "18.6", 18, "archive is of PostgreSQL 18.6, the server is 17.2"), (18, "18.6", 17, "of 17 is older")],
    )
    def test_versions_that_differ_are_noted(self, major: int, archive: str, client_major: int, note: str) -> None:
        server = replace(SERVER, version="17.2", major=major)
        (found,) = _plan(server=server, version=archive, client_major=client_major).notes
        assert note in found


class TestMissingRoles:
    ENTRIES = (_owned("gone"), _granting("reader", "shop"))

    def test_they_stand_in_the_way_and_the_ways_out_are_named(self) -> None:
        (blocker,) = _plan(*self.ENTRIES).blockers
        assert "does not have: gone, reader." in blocker
        assert "--create-roles" in blocker
        assert "--no-owner --no-privileges" in blocker

    def test_creating_them_is_offered_neither_without_a_role_dump_nor_once_more(self) -> None:
        assert "--create-roles" not in _plan(*self.ENTRIES, has_role_dump=False).blockers[0]
        assert "--create-roles" not in _plan(*self.ENTRIES, options=replace(OPTIONS, create_roles=True)).blockers[0]

    def test_they_can_be_left_out(self) -> None:
        assert _plan(*self.ENTRIES, options=NEITHER).blockers == ()

    def test_leaving_one_kind_out_leaves_the_other_missing(self) -> None:
        assert "does not have: reader." in _plan(*self.ENTRIES, options=replace(OPTIONS, owner=False)).blockers[0]
        assert "does not have: gone." in _plan(*self.ENTRIES, options=replace(OPTIONS, privileges=False)).blockers[0]

    def test_roles_of_policies_cannot_be_left_out(self) -> None:
        (blocker,) = _plan(_policy("auditor"), options=NEITHER).blockers
        assert "policies or user mappings that name auditor" in blocker
        assert "leaves ownership" not in blocker

    def test_what_only_left_out_entries_need_is_not_missing(self) -> None:
        on_database = entry(1, "ACL", "DATABASE shop", definition="GRANT ALL ON DATABASE shop TO stranger;")
        assert _plan(*ARCHIVE, on_database).blockers == ()


class TestCreatedRoles:
    CREATED = (RoleStatement("auditor", "CREATE ROLE auditor;"), RoleStatement("auditor", "ALTER ROLE auditor LOGIN;"))
    RIGHTS = replace(RIGHTS, acting=RIGHTS.acting | {"auditor"})

    def test_they_are_missing_no_more(self) -> None:
        plan = _plan(_owned("auditor"), _policy("auditor"), rights=self.RIGHTS, role_statements=self.CREATED)
        assert plan.blockers == ()
        assert plan.roles_to_create == ("auditor",)
        assert plan.role_statements == ("CREATE ROLE auditor;", "ALTER ROLE auditor LOGIN;")
        assert plan.acting == {"auditor"}

    def test_only_those_still_missing_are_asked_for(self) -> None:
        (blocker,) = _plan(
            _owned("gone"), _policy("auditor"), rights=self.RIGHTS, role_statements=self.CREATED
        ).blockers
        assert "does not have: gone." in blocker
        assert "auditor" not in blocker

    def test_what_the_server_refuses_of_them_is_left_out_with_its_words(self) -> None:
        rights = replace(self.RIGHTS, refused={"ALTER ROLE auditor LOGIN;": "no"})
        plan = _plan(_owned("auditor"), rights=rights, role_statements=self.CREATED)
        assert plan.blockers == ()
        assert plan.role_statements == ("CREATE ROLE auditor;",)
        statement = "ALTER ROLE auditor LOGIN;"
        assert plan.skips == (Skip(f"ROLE auditor: {statement}", "admin may not: no", statement),)

    def test_a_role_that_the_server_refuses_to_make_is_missing(self) -> None:
        rights = replace(RIGHTS, refused={"CREATE ROLE auditor;": "no"})
        plan = _plan(_owned("auditor"), rights=rights, role_statements=self.CREATED)
        assert "does not have: auditor." in plan.blockers[0]
        assert plan.roles_to_create == ()


class TestActing:
    def test_owners_whom_we_cannot_act_as_stand_in_the_way(self) -> None:
        server = replace(SERVER, roles=frozenset({"shop", 'The "Boss"'}))
        (blocker,) = _plan(_owned('The "Boss"'), server=server).blockers
        assert 'may not act as The "Boss"' in blocker
        assert 'GRANT "The ""Boss""" TO "admin"' in blocker
        assert _plan(_owned('The "Boss"'), server=server, options=replace(OPTIONS, owner=False)).blockers == ()

    def test_so_does_the_owner_of_the_target_that_is_replaced(self) -> None:
        server = replace(SERVER, existing=replace(EXISTING, owner="stranger"))
        for options in (OPTIONS, NEITHER):
            (blocker,) = _plan(server=server, options=options).blockers
            assert "may not act as stranger" in blocker
        rights = replace(RIGHTS, acting=RIGHTS.acting | {"stranger"})
        assert _plan(server=server, rights=rights).acting == {"shop", "stranger"}

    def test_and_the_owner_that_the_database_will_have(self) -> None:
        (blocker,) = _plan(owner="stranger").blockers
        assert "may not act as stranger" in blocker
        assert _plan(owner="shop").blockers == ()


class TestExtensions:
    def test_one_that_the_server_does_not_have_stands_in_the_way(self) -> None:
        (blocker,) = _plan(server=replace(SERVER, extensions=frozenset({"plpgsql"}))).blockers
        assert "The extension hstore is not available" in blocker

    def test_one_that_only_a_superuser_makes_is_left_out_with_what_needs_it(self) -> None:
        view = entry(20, "VIEW", "v", dependencies=(2,))
        plan = _plan(*ARCHIVE, view, rights=replace(MASTER, extensions={}))
        assert plan.blockers == ()
        assert plan.dropped >= {2, 20}
        reasons = {skip.what: skip.why for skip in plan.skips}
        assert "only a superuser makes this extension" in reasons["EXTENSION hstore"]
        assert reasons["VIEW v"] == "it needs EXTENSION hstore, which is left out"

    def test_unless_tables_need_it_whose_rows_would_be_lost(self) -> None:
        plan = _plan(*ARCHIVE, entry(20, "TABLE", "maps", dependencies=(2,)), rights=replace(MASTER, extensions={}))
        (blocker,) = plan.blockers
        assert "EXTENSION hstore cannot be made" in blocker
        assert "TABLE maps" in blocker
        assert plan.dropped.isdisjoint({2, 20})

    def test_a_comment_that_the_server_gives_anyway_is_left_out_without_a_word(self) -> None:
        plan = _plan(rights=MASTER)
        assert plan.dropped == {3}
        assert plan.skips == ()

    def test_another_comment_is_named(self) -> None:
        plan = _plan(rights=replace(MASTER, extensions={"hstore": "other"}))
        (skip,) = plan.skips
        assert skip.what == "COMMENT EXTENSION hstore"
        assert skip.statement == HSTORE_COMMENT.definition

    CRON = entry(9, "EXTENSION", "pg_cron", definition="CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;")
    JOBS = entry(10, "TABLE DATA", "job", schema="cron", dependencies=(900,))

    def test_one_that_lives_in_another_database_is_left_out_with_its_rows(self) -> None:
        plan = _plan(self.CRON, self.JOBS, rights=replace(RIGHTS, bound_extensions={"pg_cron": "postgres"}))
        assert plan.blockers == ()
        assert plan.dropped == {9, 10}
        assert "lives in the database postgres only" in plan.skips[0].why

    def test_one_that_lives_under_the_targets_name_is_put_in_place_after_the_swap(self) -> None:
        view = entry(11, "VIEW", "of_jobs", dependencies=(9,))
        plan = _plan(self.CRON, self.JOBS, view, rights=replace(RIGHTS, bound_extensions={"pg_cron": "shop"}))
        assert plan.aside == {9, 10, 11}
        assert plan.dropped == frozenset()
        assert "after the swap" in plan.notes[0]


class TestReserved:
    CAST = entry(40, "CAST", definition="CREATE CAST (a AS b) WITHOUT FUNCTION;")

    def test_what_only_a_superuser_makes_is_left_out_with_its_statement(self) -> None:
        plan = _plan(*ARCHIVE, self.CAST, entry(41, "COMMENT", "CAST c", dependencies=(40,)), rights=MASTER)
        assert plan.blockers == ()
        assert plan.dropped == {3, 40, 41}
        assert plan.skips[0].statement == self.CAST.definition

    def test_what_is_left_out_is_named_in_the_archives_order(self) -> None:
        comment = entry(50, "COMMENT", "CAST c", dependencies=(40,))
        policy = replace(self.CAST, dump_id=60)
        plan = _plan(policy, self.CAST, comment, rights=MASTER)
        assert [skip.what for skip in plan.skips] == ["CAST thing", "CAST thing", "COMMENT CAST c"]


def test_subscriptions_are_never_copied_and_the_databases_own_entries_are_its_properties() -> None:
    subscription = entry(50, "SUBSCRIPTION", "s", owner="shop", drop="DROP SUBSCRIPTION s;")
    plan = _plan(*ARCHIVE, subscription, entry(51, "DATABASE", "shop"), entry(52, "ACL", "DATABASE shop"))
    assert plan.dropped == {50, 51, 52}
    (skip,) = plan.skips
    assert "second subscriber of one slot" in skip.why


class TestPublic:
    SCHEMA = entry(60, "SCHEMA", "public", owner="boss", drop="DROP SCHEMA public;", definition="-- not creating")
    ACL = entry(61, "ACL", "SCHEMA public", definition="GRANT USAGE ON SCHEMA public TO shop;")

    def test_until_14_it_belongs_to_a_superuser(self) -> None:
        old = replace(SERVER, version="14.9", major=14)
        plan = _plan(self.SCHEMA, self.ACL, server=old, rights=MASTER, version="14.1")
        assert plan.dropped == {60, 61}
        assert all("belongs to a superuser on this server" in skip.why for skip in plan.skips)
        assert _plan(self.ACL, server=old, version="14.1").dropped == frozenset()

    def test_where_we_cannot_act_as_its_owner_it_stays_with_the_databases(self) -> None:
        plan = _plan(self.SCHEMA, self.ACL)
        assert plan.blockers == ()
        assert plan.dropped == {60}
        assert plan.skips[0].statement == 'ALTER SCHEMA "public" OWNER TO "boss";'

    def test_nothing_is_said_of_its_owner_where_ownership_is_not_wanted(self) -> None:
        assert _plan(self.SCHEMA, options=replace(OPTIONS, owner=False)).skips == ()


class TestTablespaces:
    def test_missing_ones_are_done_without(self) -> None:
        plan = _plan(replace(TABLE, tablespace="slow"))
        assert plan.no_tablespaces
        assert plan.skips == (Skip("TABLESPACE slow", "not on this server; its objects go to the default tablespace"),)
        assert not _plan(replace(TABLE, tablespace="fast")).no_tablespaces

    def test_so_are_those_that_we_may_not_use(self) -> None:
        plan = _plan(replace(TABLE, tablespace="fast"), rights=replace(RIGHTS, tablespaces=frozenset({"pg_default"})))
        assert plan.no_tablespaces
        assert "admin may not create anything in it" in plan.skips[0].why


class TestGrantors:
    ACL = entry(
        70,
        "ACL",
        "TABLE t",
        definition="SET SESSION AUTHORIZATION boss;\nGRANT ALL ON TABLE t TO shop;\nRESET SESSION AUTHORIZATION;",
    )
    DEFAULTS = entry(
        71,
        "DEFAULT ACL",
        owner="boss",
        definition="ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA s REVOKE ALL ON TABLES FROM shop;",
    )
    SERVER = replace(SERVER, roles=SERVER.roles | {"boss"})

    def test_a_superuser_leaves_them_to_pg_restore(self) -> None:
        rights = replace(RIGHTS, acting=RIGHTS.acting | {"boss"})
        plan = _plan(self.ACL, self.DEFAULTS, server=self.SERVER, rights=rights)
        assert (plan.own, plan.dropped, plan.skips) == ({}, frozenset(), ())

    def test_another_says_them_as_the_grantor(self) -> None:
        rights = replace(MASTER, acting=MASTER.acting | {"boss"})
        plan = _plan(self.ACL, self.DEFAULTS, server=self.SERVER, rights=rights)
        assert plan.own == {70: "SET ROLE boss;\nGRANT ALL ON TABLE t TO shop;\nRESET ROLE;"}
        assert "boss" in plan.acting
        assert (plan.dropped, plan.skips) == (frozenset(), ())

    def test_those_of_whom_we_cannot_be_are_left_out_and_block_nothing(self) -> None:
        plan = _plan(self.ACL, self.DEFAULTS, server=self.SERVER, rights=MASTER)
        assert plan.blockers == ()
        assert plan.dropped == {71}
        assert {skip.what for skip in plan.skips} == {"ACL TABLE t", "DEFAULT ACL thing"}
        assert all(skip.statement for skip in plan.skips)

    def test_without_grants_nothing_is_said_of_them(self) -> None:
        options = replace(OPTIONS, privileges=False)
        assert _plan(self.ACL, server=self.SERVER, rights=MASTER, options=options).skips == ()


class TestPart:
    OPTIONS = RestoreOptions("rescue", tables=(("public", "purchase"),))
    KEY = entry(80, "FK CONSTRAINT", "purchase customer_fkey", schema="public")
    ENTRIES = (
        *ARCHIVE,
        entry(72, "TABLE DATA", "purchase", oid=16395),
        entry(73, "MATERIALIZED VIEW DATA", "totals", oid=16500),
        entry(74, "BLOB METADATA", "16600", oid=16600),
        entry(75, "BLOBS", "BLOBS"),
        entry(76, "COMMENT", "LARGE OBJECT 16600"),
        KEY,
        entry(81, "COMMENT", "CONSTRAINT customer_fkey", dependencies=(80,)),
        entry(82, "SEQUENCE SET", "counter"),
    )

    def test_only_the_wanted_data_and_the_whole_structure(self) -> None:
        plan = _plan(*self.ENTRIES, options=self.OPTIONS, wanted_oids=frozenset({16395}))
        assert plan.blockers == ()
        assert plan.dropped == {71, 73, 74, 75, 76, 80, 81}

    def test_what_is_left_out_is_reported(self) -> None:
        plan = _plan(*self.ENTRIES, options=self.OPTIONS, wanted_oids=frozenset({16395}))
        data, key = plan.skips
        assert (key.what, data.what) == (self.KEY.description, "data of 5 other objects")
        assert "rows that are not restored" in key.why

    def test_it_never_replaces_a_database_that_has_something_in_it(self) -> None:
        def blockers(existing: ExistingDatabase) -> tuple[str, ...]:
            return _plan(server=replace(SERVER, existing=existing), options=self.OPTIONS).blockers

        assert "the rest of it would be lost" in blockers(EXISTING)[0]
        assert blockers(replace(EXISTING, empty=True)) == ()

    def test_a_whole_restore_may(self) -> None:
        assert _plan(server=replace(SERVER, existing=EXISTING)).blockers == ()

    def test_tables_or_schemas_make_it_one(self) -> None:
        assert self.OPTIONS.partial
        assert RestoreOptions("rescue", schemas=("public",)).partial
        assert not OPTIONS.partial


def test_properties_that_cannot_be_given_are_named_too() -> None:
    skip = Skip("SETTING x", "not here")
    assert _plan(more_skips=[skip]).skips == (skip,)
