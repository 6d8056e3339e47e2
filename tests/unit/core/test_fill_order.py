from __future__ import annotations

from dbbackup.core.archive_toc import Entry, Section
from dbbackup.core.fill_order import FillOrder, fill_order
from dbbackup.core.restore_plan import Plan, RestoreOptions
from tests.unit.core.archive_entries import contents, entry

OPTIONS = RestoreOptions("shop")
SCHEMA = entry(10, "SCHEMA", "s", owner="boss", drop="DROP SCHEMA s;")
TABLE = entry(11, "TABLE", "item", schema="s", owner="shop", drop="DROP TABLE s.item;")
DATA = entry(12, "TABLE DATA", "item", schema="s", owner="shop")
INDEX = entry(13, "INDEX", "i", schema="s", owner="shop")
TOTALS = entry(14, "MATERIALIZED VIEW DATA", "totals", schema="s", owner="shop")
GUARD = entry(15, "EVENT TRIGGER", "guard", owner="shop")
COMMENT = entry(16, "COMMENT", "EVENT TRIGGER guard", owner="shop")
ACL = entry(17, "ACL", "TABLE item", schema="s", owner="shop")
ARCHIVE = contents(SCHEMA, TABLE, DATA, INDEX, TOTALS, GUARD, COMMENT, ACL)


def _order(*entries: Entry, plan: Plan | None = None, owner: bool = True, superuser: bool = False) -> FillOrder:
    options = RestoreOptions("shop", owner=owner)
    return fill_order(contents(*entries), plan or Plan(), options, superuser=superuser)


def test_schemas_come_first_and_what_pg_restore_comes_to_last_comes_last() -> None:
    order = _order(*ARCHIVE.items)
    assert (order.schemas, order.structure, order.main, order.last) == ((10,), (11,), (12, 13), (14, 16, 17))
    assert order.event_triggers == (15,), "it may forbid the others"


def test_a_superuser_needs_no_run_for_schemas_and_gives_nobody_anything() -> None:
    assert _order(*ARCHIVE.items, superuser=True) == FillOrder((), (10, 11), (12, 13), (), (14, 16, 17), (15,))


def test_nothing_is_restored_twice_nor_left_out_of_all_runs() -> None:
    for superuser in (True, False):
        order = _order(*ARCHIVE.items, superuser=superuser)
        runs = order.schemas + order.structure + order.main + order.after_data + order.last + order.event_triggers
        assert sorted(runs) == [each.dump_id for each in ARCHIVE.items]


def test_what_the_plan_does_otherwise_is_in_no_run() -> None:
    plan = Plan(dropped=frozenset({12}), aside=frozenset({13}), own={17: "GRANT ..."})
    order = _order(*ARCHIVE.items, plan=plan)
    assert order.main == ()
    assert order.last + order.event_triggers == (14, 16, 15)


def test_owners_may_create_meanwhile_where_they_own_something_but_not_the_schema() -> None:
    own = entry(20, "TABLE", "mine", schema="s", owner="boss", drop="DROP TABLE s.mine;")
    assert _order(SCHEMA, TABLE, own).creators == {("s", "shop")}
    assert _order(SCHEMA, TABLE, owner=False).creators == frozenset()


def test_in_public_everybody_but_its_usual_owner_must_be_allowed() -> None:
    usual = entry(20, "TABLE", schema="public", owner="pg_database_owner", drop="DROP TABLE t;")
    other = entry(21, "TABLE", schema="public", owner="shop", drop="DROP TABLE t;")
    assert _order(usual, other).creators == {("public", "shop")}


def test_owners_of_publications_must_be_allowed_to_create_in_the_database() -> None:
    publication = entry(20, "PUBLICATION", "p", owner="shop", drop="DROP PUBLICATION p;")
    assert _order(publication).publishers == {"shop"}
    assert _order(publication, owner=False).publishers == frozenset()
    assert _order(publication).creators == frozenset()


def test_what_reaches_tables_that_inherit_waits_for_all_data() -> None:
    kinds = ("CHECK CONSTRAINT", "TRIGGER", "FK CONSTRAINT", "ROW SECURITY")
    entries = [entry(20 + number, kind, section=Section.POST_DATA) for number, kind in enumerate(kinds)]
    for superuser in (True, False):
        order = _order(*entries, DATA, superuser=superuser)
        assert (order.main, order.after_data) == ((12,), (20, 21, 22, 23))


def test_who_has_granted_something_may_use_its_schema_meanwhile() -> None:
    grant = "SET SESSION AUTHORIZATION boss; GRANT SELECT ON TABLE s.item TO x; RESET SESSION AUTHORIZATION;"
    acl = entry(20, "ACL", "TABLE item", schema="s", owner="shop", definition=grant)
    on_schema = entry(21, "ACL", "SCHEMA s", owner="shop", definition=grant)
    plan = Plan(own={20: "SET ROLE boss; ...", 21: "SET ROLE boss; ..."}, acting=frozenset({"boss"}))
    assert _order(acl, on_schema, plan=plan).grantors == {("s", "boss")}
    assert _order(acl, plan=Plan(own={20: ""})).grantors == frozenset(), "whom we cannot be grants nothing"
