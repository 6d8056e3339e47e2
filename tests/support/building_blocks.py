"""Building blocks of schemas: each is one kind of object with what depends on it, in a schema and of an owner."""

from __future__ import annotations

from dataclasses import dataclass

APP, LEGACY, READER, GRANTOR = "app", "Former 'Owner' 100%", 'reader "r"', "grantor of\nrights"
ROLES = (APP, LEGACY, READER, GRANTOR)
OWN_SCHEMA, ODD_SCHEMA = "private", 'Odd "schema" 100%\nof two lines'
OWNERS = (APP, LEGACY, "master")
SCHEMAS = ("public", OWN_SCHEMA, ODD_SCHEMA)


@dataclass(frozen=True)
class Block:
    """SQL of one kind of object.

    Attributes:
        owned: what its owner says, with ``$SCHEMA`` first in the search path.
        rest: what a superuser says afterwards.
        first: major that knows it first.
        at_the_end: whether others could not be made after it.
    """

    owned: str = ""
    rest: str = ""
    first: int = 14
    at_the_end: bool = False


@dataclass(frozen=True)
class Placed:
    """A block, where it is, and who owns it; ``other`` owns parts of it."""

    name: str
    schema: str = "public"
    owner: str = APP
    other: str = LEGACY


@dataclass(frozen=True)
class Drawn:
    """A schema that was drawn: its blocks, and who owns the two schemas beside public."""

    blocks: tuple[Placed, ...]
    owners: tuple[str, str] = (APP, LEGACY)


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def statements_of(drawn: Drawn, major: int) -> str:
    """What a superuser runs to make it all."""
    said = [
        f"CREATE SCHEMA {quoted(name)}; ALTER SCHEMA {quoted(name)} OWNER TO {quoted(owner)};"
        for name, owner in zip((OWN_SCHEMA, ODD_SCHEMA), drawn.owners, strict=True)
    ]
    everybody = ", ".join(quoted(role) for role in (*ROLES, "master"))
    every_schema = ", ".join(quoted(name) for name in SCHEMAS)
    said.append(f"CREATE ROLE maker; GRANT maker TO {everybody};")
    said.append(f"GRANT CREATE, USAGE ON SCHEMA {every_schema} TO maker;")
    # A right that is taken away at large is taken away last, as the others need it.
    for placed in sorted(drawn.blocks, key=lambda placed: BLOCKS[placed.name].at_the_end):
        block = BLOCKS[placed.name]
        if block.first <= major:
            said.append(f"SET search_path = {quoted(placed.schema)}, public;")
            if block.owned:
                said.append(f"SET ROLE {quoted(placed.owner)}; {_filled(block.owned, placed)}; RESET ROLE;")
            said.append(f"{_filled(block.rest, placed)};")
    said.append(f"RESET search_path; REVOKE CREATE, USAGE ON SCHEMA {every_schema} FROM maker; DROP ROLE maker;")
    return "\n".join(said)


def _filled(sql: str, placed: Placed) -> str:
    names = {
        "$SCHEMA": placed.schema,
        "$OWNER": placed.owner,
        "$OTHER": placed.other,
        "$READER": READER,
        "$GRANTOR": GRANTOR,
    }
    for word, name in names.items():
        sql = sql.replace(word, quoted(name))
    return sql


BLOCKS = {
    "table": Block(
        """
        CREATE TABLE plain (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', UNIQUE (name, id), CHECK (id > 0));
        INSERT INTO plain SELECT n, 'name ' || n FROM generate_series(1, 20) n;
        CREATE INDEX plain_name ON plain (lower(name)) WHERE id > 3;
        COMMENT ON TABLE plain IS 'It''s 100% "plain"'; COMMENT ON COLUMN plain.id IS E'two\\nlines';
        COMMENT ON CONSTRAINT plain_pkey ON plain IS 'its key'; COMMENT ON INDEX plain_name IS 'of names'
        """
    ),
    "odd names": Block(
        """
        CREATE TABLE "Tab ""le"" 100%
        it's" ("Col umn %s" int PRIMARY KEY, "select" text, "zahl;--" int GENERATED ALWAYS AS IDENTITY);
        INSERT INTO "Tab ""le"" 100%
        it's" VALUES (1, 'a'), (2, E'\\\\.'), (3, NULL);
        CREATE VIEW "View %(x)s" AS SELECT "Col umn %s" FROM "Tab ""le"" 100%
        it's";
        CREATE FUNCTION "Fun ction"("a b" int, OUT "c%" int) LANGUAGE sql AS 'SELECT 1';
        CREATE TYPE "Ty pe" AS ENUM ('a''b', '%s', 'c"d');
        GRANT SELECT ("Col umn %s") ON "Tab ""le"" 100%
        it's" TO $READER
        """
    ),
    "foreign key of another owner": Block(
        """
        CREATE TABLE pointed (id int PRIMARY KEY); INSERT INTO pointed VALUES (1), (2);
        CREATE TABLE pointing (id int REFERENCES pointed ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO pointing VALUES (1), (2), (NULL);
        SET CONSTRAINTS ALL IMMEDIATE;
        ALTER TABLE pointing ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES pointed NOT VALID
        """,
        "SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE pointing OWNER TO $OTHER",
    ),
    "partitions": Block(
        """
        CREATE TABLE ranged (id int, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE ranged_1 PARTITION OF ranged FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE ranged_2 (note text, id int NOT NULL, at date NOT NULL);
        ALTER TABLE ranged ATTACH PARTITION ranged_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
        CREATE TABLE ranged_rest PARTITION OF ranged DEFAULT PARTITION BY LIST (id);
        CREATE TABLE ranged_rest_1 PARTITION OF ranged_rest FOR VALUES IN (1, 2, NULL);
        CREATE INDEX ON ranged (note);
        INSERT INTO ranged VALUES (1, '2020-03-01', 'a'), (2, '2021-03-01', 'b'), (1, '2030-01-01', 'c');
        CREATE TABLE hashed (id int) PARTITION BY HASH (id);
        CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO hashed SELECT generate_series(1, 30)
        """,
        "ALTER TABLE ranged_1 OWNER TO $OTHER; ALTER TABLE ranged_rest OWNER TO $READER",
    ),
    "triggers on partitions": Block(
        """
        CREATE FUNCTION on_partition() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE watched (id int) PARTITION BY LIST (id);
        CREATE TABLE watched_1 PARTITION OF watched FOR VALUES IN (1);
        CREATE TABLE watched_2 PARTITION OF watched FOR VALUES IN (2);
        CREATE TRIGGER watching AFTER INSERT ON watched FOR EACH ROW EXECUTE FUNCTION on_partition();
        ALTER TABLE watched_1 DISABLE TRIGGER watching; ALTER TABLE watched_2 ENABLE ALWAYS TRIGGER watching
        """,
        "ALTER TABLE watched_2 OWNER TO $OTHER",
    ),
    "inheritance": Block(
        """
        CREATE TABLE parent (id int, CONSTRAINT positive CHECK (id > 0), CONSTRAINT own CHECK (id < 9) NO INHERIT);
        CREATE TABLE child (extra text) INHERITS (parent);
        INSERT INTO child VALUES (3, 'x');
        CREATE TABLE adopted (id int DEFAULT 7, extra text, CONSTRAINT positive CHECK (id > 0));
        ALTER TABLE adopted INHERIT parent; ALTER TABLE child ALTER id SET DEFAULT 5
        """,
        "ALTER TABLE child OWNER TO $OTHER",
    ),
    "inherited check not valid": Block(
        """
        CREATE TABLE lax (id int); CREATE TABLE lax_child () INHERITS (lax); INSERT INTO lax_child VALUES (-1);
        ALTER TABLE lax ADD CONSTRAINT strict CHECK (id > 0) NOT VALID
        """
    ),
    "identity": Block(
        """
        CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 3), n serial, b bigserial);
        INSERT INTO counted DEFAULT VALUES; INSERT INTO counted DEFAULT VALUES;
        GRANT USAGE ON SEQUENCE counted_n_seq TO $READER; COMMENT ON SEQUENCE counted_n_seq IS 'of n'
        """
    ),
    "sequences": Block(
        """
        CREATE SEQUENCE steps AS smallint START 5 INCREMENT -1 MINVALUE -10 MAXVALUE 5 CYCLE; SELECT nextval('steps');
        CREATE TABLE stepping (id int DEFAULT nextval('steps')); INSERT INTO stepping DEFAULT VALUES;
        GRANT USAGE ON SEQUENCE steps TO $GRANTOR WITH GRANT OPTION
        """,
        """
        SET ROLE $GRANTOR; GRANT USAGE ON SEQUENCE steps TO $READER; RESET ROLE;
        ALTER SEQUENCE steps OWNER TO $OTHER
        """,
    ),
    "generated columns": Block(
        """
        CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
        CREATE TABLE computed (id int, double int GENERATED ALWAYS AS (twice(id)) STORED);
        INSERT INTO computed (id) SELECT generate_series(1, 5)
        """,
        "ALTER FUNCTION twice OWNER TO $OTHER; REVOKE EXECUTE ON FUNCTION twice FROM PUBLIC",
    ),
    "virtual columns": Block(
        "CREATE TABLE imagined (id int, double int GENERATED ALWAYS AS (id * 2)); INSERT INTO imagined VALUES (1)",
        first=18,
    ),
    "domains": Block(
        """
        CREATE FUNCTION is_fine(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 > 0; END';
        CREATE DOMAIN amount AS int DEFAULT 1 CONSTRAINT fine CHECK (is_fine(VALUE));
        CREATE DOMAIN small_amount AS amount NOT NULL CHECK (VALUE < 100);
        CREATE TABLE priced (a amount, b small_amount); INSERT INTO priced VALUES (5, 6);
        COMMENT ON DOMAIN amount IS 'of money'; COMMENT ON CONSTRAINT fine ON DOMAIN amount IS 'positive';
        GRANT USAGE ON TYPE amount TO $READER; REVOKE USAGE ON TYPE small_amount FROM PUBLIC;
        ALTER DOMAIN amount ADD CONSTRAINT later CHECK (VALUE > 3) NOT VALID
        """,
        "ALTER DOMAIN small_amount OWNER TO $OTHER; ALTER FUNCTION is_fine OWNER TO $OTHER",
    ),
    "types": Block(
        """
        CREATE TYPE mood AS ENUM ('good', 'it''s "bad"'); COMMENT ON TYPE mood IS 'of people';
        CREATE TYPE pair AS (a int, b text COLLATE "C"); COMMENT ON COLUMN pair.a IS 'first';
        CREATE FUNCTION pair_of(int, text) RETURNS pair IMMUTABLE LANGUAGE sql AS 'SELECT ($1, $2)';
        CREATE FUNCTION distance(double precision, double precision) RETURNS double precision IMMUTABLE LANGUAGE sql
          AS 'SELECT $1 - $2';
        CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = distance);
        CREATE TABLE typed (m mood, p pair, s span, ms mood[], ps pair[]);
        INSERT INTO typed VALUES ('good', ROW(1, 'x'), '[1,2)', '{good}', ARRAY[ROW(1, 'y')::pair]);
        CREATE INDEX ON typed USING gist (s);
        CREATE TABLE of_type OF pair (PRIMARY KEY (a))
        """,
        "ALTER TYPE mood OWNER TO $OTHER; ALTER TYPE span OWNER TO $OTHER; ALTER TYPE pair OWNER TO $OTHER",
    ),
    "functions": Block(
        """
        CREATE FUNCTION definer(a int DEFAULT 3, VARIADIC b int[] DEFAULT '{}') RETURNS int LANGUAGE plpgsql
          SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '8MB'
          AS $f$ BEGIN RETURN a; END $f$;
        CREATE FUNCTION rows_of(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql STABLE ROWS 7 COST 3 STRICT
          PARALLEL SAFE AS $f$ SELECT 1, '%s {} $$ \\' $f$;
        CREATE FUNCTION tabular() RETURNS TABLE (x int) BEGIN ATOMIC SELECT 1; SELECT 2 AS x; END;
        CREATE PROCEDURE act(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 1; END';
        CREATE FUNCTION frozen() RETURNS int LANGUAGE sql SET statement_timeout = 7 SET datestyle = 'ISO, DMY'
          SET default_transaction_read_only = on SET default_transaction_isolation FROM CURRENT AS 'SELECT 1';
        COMMENT ON FUNCTION definer IS 'of rights'; COMMENT ON PROCEDURE act IS 'acts';
        REVOKE ALL ON FUNCTION definer FROM PUBLIC; GRANT EXECUTE ON FUNCTION definer TO $GRANTOR WITH GRANT OPTION;
        GRANT EXECUTE ON PROCEDURE act TO $READER
        """,
        """
        SET ROLE $GRANTOR; GRANT EXECUTE ON FUNCTION definer TO $READER; RESET ROLE;
        ALTER PROCEDURE act OWNER TO $OTHER; ALTER FUNCTION tabular OWNER TO $OTHER
        """,
    ),
    "functions of a superuser": Block(
        """
        CREATE FUNCTION as_somebody() RETURNS int LANGUAGE sql AS 'SELECT 1'
        """,
        """
        ALTER FUNCTION as_somebody() SET session_replication_role = 'replica';
        ALTER FUNCTION as_somebody() SET "my.own" = 'x';
        CREATE FUNCTION silent() RETURNS int LANGUAGE sql SET log_min_messages = 'panic' AS 'SELECT 1';
        CREATE FUNCTION tight(int) RETURNS bool LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT $1 > 0';
        CREATE FUNCTION native(internal) RETURNS internal LANGUAGE internal AS 'int4in';
        ALTER FUNCTION silent OWNER TO $OTHER; ALTER FUNCTION tight OWNER TO $OWNER;
        ALTER FUNCTION native OWNER TO $OTHER;
        COMMENT ON FUNCTION tight IS 'leaks nothing'; GRANT EXECUTE ON FUNCTION tight TO $READER;
        REVOKE EXECUTE ON FUNCTION silent FROM PUBLIC;
        CREATE VIEW of_tight AS SELECT tight(1) AS t; ALTER VIEW of_tight OWNER TO $OTHER;
        GRANT SELECT ON of_tight TO $READER; COMMENT ON VIEW of_tight IS 'of a tight one'
        """,
    ),
    "functions that set a role": Block(
        "",
        """
        CREATE FUNCTION as_reader() RETURNS int LANGUAGE sql SET role = $READER AS 'SELECT 1';
        ALTER FUNCTION as_reader OWNER TO $OWNER
        """,
    ),
    "aggregates": Block(
        """
        CREATE FUNCTION add_up(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
        CREATE AGGREGATE total(int) (SFUNC = add_up, STYPE = int, INITCOND = '0', PARALLEL = SAFE,
          COMBINEFUNC = add_up);
        COMMENT ON AGGREGATE total(int) IS 'adds up'; GRANT EXECUTE ON FUNCTION total TO $READER
        """,
        """
        ALTER AGGREGATE total(int) OWNER TO $OTHER;
        CREATE AGGREGATE ranked(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi,
          STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
        ALTER AGGREGATE ranked(VARIADIC "any" ORDER BY VARIADIC "any") OWNER TO $OWNER;
        COMMENT ON AGGREGATE ranked(VARIADIC "any" ORDER BY VARIADIC "any") IS 'of internal state'
        """,
    ),
    "triggers": Block(
        """
        CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NEW; END $f$;
        CREATE TABLE firing (id int, note text); INSERT INTO firing VALUES (1, 'a');
        CREATE VIEW firing_view AS SELECT * FROM firing;
        CREATE TRIGGER before_row BEFORE UPDATE OF note ON firing FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
          EXECUTE FUNCTION fired('x', 'it''s');
        CREATE CONSTRAINT TRIGGER checking AFTER INSERT ON firing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
          EXECUTE FUNCTION fired();
        CREATE TRIGGER instead INSTEAD OF INSERT ON firing_view FOR EACH ROW EXECUTE FUNCTION fired();
        CREATE TRIGGER of_statement AFTER DELETE ON firing REFERENCING OLD TABLE AS gone EXECUTE FUNCTION fired();
        CREATE TRIGGER off BEFORE INSERT ON firing EXECUTE FUNCTION fired(); ALTER TABLE firing DISABLE TRIGGER off;
        CREATE TRIGGER always BEFORE INSERT ON firing EXECUTE FUNCTION fired();
        ALTER TABLE firing ENABLE ALWAYS TRIGGER always;
        CREATE TRIGGER on_replica BEFORE INSERT ON firing EXECUTE FUNCTION fired();
        ALTER TABLE firing ENABLE REPLICA TRIGGER on_replica; COMMENT ON TRIGGER always ON firing IS 'always'
        """,
        "ALTER FUNCTION fired OWNER TO $OTHER; REVOKE ALL ON FUNCTION fired FROM PUBLIC",
    ),
    "rules": Block(
        """
        CREATE TABLE ruled (id int); CREATE TABLE ruled_log (id int); INSERT INTO ruled VALUES (1);
        CREATE RULE logging AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.id);
        CREATE RULE never AS ON DELETE TO ruled WHERE OLD.id > 5 DO INSTEAD NOTHING;
        CREATE VIEW ruled_view AS SELECT * FROM ruled;
        CREATE RULE into_view AS ON INSERT TO ruled_view DO INSTEAD INSERT INTO ruled VALUES (NEW.id);
        COMMENT ON RULE logging ON ruled IS 'logs'; ALTER TABLE ruled DISABLE RULE never
        """,
        "ALTER TABLE ruled_log OWNER TO $OTHER",
    ),
    "views": Block(
        """
        CREATE TABLE seen (id int PRIMARY KEY, a text, b int);
        CREATE VIEW first_view AS SELECT id, a FROM seen WHERE b > 0 WITH LOCAL CHECK OPTION;
        CREATE VIEW second_view WITH (security_barrier) AS SELECT * FROM first_view f JOIN seen USING (id, a);
        CREATE VIEW grouped AS SELECT id, a, b FROM seen GROUP BY id;
        CREATE RECURSIVE VIEW counting (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
        ALTER VIEW first_view ALTER a SET DEFAULT 'x'; COMMENT ON VIEW first_view IS 'the first';
        GRANT SELECT (id) ON second_view TO $READER; REVOKE SELECT ON second_view FROM $OWNER
        """,
        "ALTER VIEW first_view OWNER TO $OTHER; ALTER VIEW grouped OWNER TO $OTHER",
    ),
    "views depending on each other": Block(
        """
        CREATE VIEW one AS SELECT 1 AS id; CREATE VIEW two AS SELECT id FROM one;
        CREATE OR REPLACE VIEW one AS SELECT id FROM (SELECT 1 AS id) x;
        CREATE FUNCTION of_view() RETURNS SETOF two LANGUAGE sql BEGIN ATOMIC SELECT id FROM two; END;
        CREATE OR REPLACE VIEW one AS SELECT 1 AS id
        """
    ),
    "materialized views": Block(
        """
        CREATE TABLE summands (id int); INSERT INTO summands SELECT generate_series(1, 9);
        CREATE MATERIALIZED VIEW summed AS SELECT sum(id) AS s, 1 AS k FROM summands;
        CREATE UNIQUE INDEX ON summed (k); CREATE MATERIALIZED VIEW empty_one AS SELECT * FROM summands WITH NO DATA;
        CREATE MATERIALIZED VIEW on_top AS SELECT s + 1 AS t FROM summed; COMMENT ON MATERIALIZED VIEW on_top IS 'top';
        GRANT SELECT ON summed TO $READER; CLUSTER summed USING summed_k_idx;
        GRANT SELECT ON summands, summed TO PUBLIC
        """,
        "ALTER MATERIALIZED VIEW on_top OWNER TO $OTHER; GRANT USAGE ON SCHEMA $SCHEMA TO PUBLIC",
    ),
    "policies": Block(
        """
        CREATE TABLE hidden (id int, who name); INSERT INTO hidden VALUES (1, 'a'), (2, 'b');
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
        CREATE POLICY "mine 100%" ON hidden AS RESTRICTIVE FOR UPDATE TO $READER, $OTHER
          USING (id > 0) WITH CHECK (id < 9);
        CREATE POLICY everybody ON hidden TO PUBLIC USING (who = current_user);
        COMMENT ON POLICY everybody ON hidden IS 'for all'
        """
    ),
    "forced policies": Block(
        """
        CREATE TABLE forced (id int); INSERT INTO forced VALUES (1), (2);
        ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY none ON forced USING (id > 1);
        CREATE TABLE to_forced (id int); CREATE VIEW over_forced AS SELECT * FROM forced
        """
    ),
    "default privileges": Block(
        """
        ALTER DEFAULT PRIVILEGES IN SCHEMA $SCHEMA GRANT SELECT ON TABLES TO $READER WITH GRANT OPTION;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO $GRANTOR;
        ALTER DEFAULT PRIVILEGES REVOKE INSERT ON TABLES FROM $OWNER
        """,
        "ALTER DEFAULT PRIVILEGES FOR ROLE $OTHER GRANT CREATE, USAGE ON SCHEMAS TO $READER",
        at_the_end=True,
    ),
    "default privileges of a superuser": Block(
        "",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO $READER; ALTER DEFAULT PRIVILEGES IN SCHEMA $SCHEMA "
        "GRANT USAGE ON TYPES TO $OTHER",
        at_the_end=True,
    ),
    "grants on tables": Block(
        """
        CREATE TABLE granted (id int, name text);
        GRANT SELECT (id), UPDATE (name) ON granted TO $READER; GRANT ALL ON granted TO $GRANTOR WITH GRANT OPTION;
        GRANT INSERT ON granted TO PUBLIC; REVOKE INSERT, DELETE ON granted FROM $OWNER;
        CREATE TABLE barred (id int); REVOKE ALL ON barred FROM $OWNER; GRANT SELECT ON barred TO $OTHER
        """,
        """
        SET ROLE $GRANTOR; GRANT SELECT ON granted TO $READER WITH GRANT OPTION;
        GRANT UPDATE (id) ON granted TO $OTHER; SET ROLE $READER; GRANT SELECT ON granted TO PUBLIC; RESET ROLE
        """,
    ),
    "grants on schemas": Block(
        "",
        """
        GRANT USAGE ON SCHEMA $SCHEMA TO $READER; GRANT CREATE, USAGE ON SCHEMA $SCHEMA TO $GRANTOR WITH GRANT OPTION;
        SET ROLE $GRANTOR; GRANT USAGE ON SCHEMA $SCHEMA TO $OTHER; RESET ROLE;
        COMMENT ON SCHEMA $SCHEMA IS 'one %s of them'
        """,
    ),
    "schemas that their owner may not use": Block(
        "",
        """
        CREATE SCHEMA closed; ALTER SCHEMA closed OWNER TO $OWNER; CREATE TABLE closed.inside (id int);
        ALTER TABLE closed.inside OWNER TO $OTHER; INSERT INTO closed.inside VALUES (1);
        REVOKE ALL ON SCHEMA closed FROM $OWNER; GRANT USAGE ON SCHEMA closed TO $READER;
        CREATE MATERIALIZED VIEW closed.kept AS SELECT 1 AS one; ALTER MATERIALIZED VIEW closed.kept OWNER TO $OWNER;
        CREATE FUNCTION closed.answer() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 42';
        ALTER FUNCTION closed.answer OWNER TO $OTHER;
        CREATE TABLE closed.indexed (id int); CREATE INDEX ON closed.indexed ((id + closed.answer()));
        ALTER TABLE closed.indexed OWNER TO $OTHER; INSERT INTO closed.indexed VALUES (1)
        """,
    ),
    "grants on the system": Block(
        "",
        """
        GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO $OWNER;
        GRANT SELECT ON pg_catalog.pg_authid TO $READER;
        GRANT SELECT (rolname) ON pg_catalog.pg_authid TO $OTHER; REVOKE SELECT ON pg_catalog.pg_proc FROM PUBLIC;
        GRANT SELECT ON pg_catalog.pg_proc TO PUBLIC; GRANT USAGE ON SCHEMA information_schema TO $READER;
        GRANT USAGE ON LANGUAGE plpgsql TO $READER; GRANT USAGE ON LANGUAGE sql TO $OTHER;
        REVOKE USAGE ON TYPE pg_catalog.int4 FROM PUBLIC; GRANT USAGE ON TYPE pg_catalog.int4 TO PUBLIC, $READER;
        GRANT CREATE ON SCHEMA pg_catalog TO $OTHER
        """,
    ),
    "language not for everybody": Block("", "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", at_the_end=True),
    "large objects": Block(
        """
        SELECT lo_from_bytea(4711, 'a large object'); COMMENT ON LARGE OBJECT 4711 IS 'it''s large';
        GRANT SELECT ON LARGE OBJECT 4711 TO $GRANTOR WITH GRANT OPTION
        """,
        """
        SET ROLE $GRANTOR; GRANT SELECT ON LARGE OBJECT 4711 TO $READER; RESET ROLE;
        SELECT lo_from_bytea(4712, ''); ALTER LARGE OBJECT 4712 OWNER TO $OTHER;
        SELECT lo_from_bytea(4713, 'barred'); ALTER LARGE OBJECT 4713 OWNER TO $OTHER;
        REVOKE ALL ON LARGE OBJECT 4713 FROM $OTHER
        """,
    ),
    "hstore": Block(
        "",
        """
        CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
        CREATE TABLE keyed (h public.hstore); INSERT INTO keyed VALUES ('a=>1'); CREATE INDEX ON keyed USING gin (h);
        CREATE DOMAIN flags AS public.hstore CHECK (VALUE OPERATOR(public.?) 'a');
        ALTER TABLE keyed OWNER TO $OWNER; ALTER DOMAIN flags OWNER TO $OTHER
        """,
    ),
    "on an extension's objects": Block(
        "",
        """
        CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
        COMMENT ON EXTENSION hstore IS 'ours'; COMMENT ON TYPE public.hstore IS 'of an extension';
        REVOKE EXECUTE ON FUNCTION public.akeys(public.hstore) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION public.akeys(public.hstore) TO $READER; GRANT USAGE ON TYPE public.hstore TO $OTHER;
        CREATE FUNCTION size_of(public.hstore) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        ALTER FUNCTION size_of OWNER TO $OWNER;
        CREATE CAST (public.hstore AS int) WITH FUNCTION size_of(public.hstore);
        COMMENT ON CAST (public.hstore AS int) IS 'c'
        """,
    ),
    "trgm in a schema": Block(
        "",
        """
        CREATE EXTENSION pg_trgm SCHEMA $SCHEMA; CREATE TABLE fuzzy (t text);
        CREATE INDEX ON fuzzy USING gin (t gin_trgm_ops); ALTER TABLE fuzzy OWNER TO $OWNER
        """,
    ),
    "citext": Block(
        "",
        """
        CREATE SCHEMA of_citext; ALTER SCHEMA of_citext OWNER TO $OTHER; CREATE EXTENSION citext SCHEMA of_citext;
        CREATE TABLE folded (t of_citext.citext PRIMARY KEY); INSERT INTO folded VALUES ('Ab'), ('c');
        ALTER TABLE folded OWNER TO $OWNER; GRANT USAGE ON SCHEMA of_citext TO $OWNER
        """,
    ),
    "foreign tables": Block(
        "",
        """
        CREATE EXTENSION postgres_fdw SCHEMA public;
        CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'it''s');
        ALTER SERVER elsewhere OWNER TO $OWNER; COMMENT ON SERVER elsewhere IS 'far';
        GRANT USAGE ON FOREIGN SERVER elsewhere TO $READER, $OTHER;
        CREATE USER MAPPING FOR $READER SERVER elsewhere;
        CREATE USER MAPPING FOR PUBLIC SERVER elsewhere;
        CREATE FOREIGN TABLE far (id int OPTIONS (column_name 'x'), CHECK (id > 0)) SERVER elsewhere;
        ALTER FOREIGN TABLE far OWNER TO $OTHER; GRANT SELECT ON far TO $READER; COMMENT ON FOREIGN TABLE far IS 'f';
        CREATE VIEW of_far AS SELECT id FROM far; ALTER VIEW of_far OWNER TO $OWNER;
        CREATE TABLE near (id int) PARTITION BY LIST (id); ALTER TABLE near OWNER TO $OWNER;
        CREATE FOREIGN TABLE near_1 PARTITION OF near FOR VALUES IN (1) SERVER elsewhere;
        ALTER FOREIGN TABLE near_1 OWNER TO $OWNER; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO $OTHER
        """,
    ),
    "wrapper of our own": Block(
        "",
        """
        CREATE FOREIGN DATA WRAPPER dummy; CREATE SERVER nowhere FOREIGN DATA WRAPPER dummy;
        ALTER SERVER nowhere OWNER TO $OWNER; CREATE FOREIGN TABLE nothing (id int) SERVER nowhere;
        ALTER FOREIGN TABLE nothing OWNER TO $OTHER; GRANT USAGE ON FOREIGN DATA WRAPPER dummy TO $READER;
        COMMENT ON FOREIGN DATA WRAPPER dummy IS 'does nothing'
        """,
    ),
    "extensions of a superuser": Block(
        "",
        """
        CREATE EXTENSION dblink SCHEMA public; CREATE EXTENSION file_fdw SCHEMA public;
        CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; ALTER SERVER files OWNER TO $OWNER;
        CREATE EXTENSION pg_buffercache; CREATE VIEW buffers AS SELECT bufferid FROM pg_buffercache;
        ALTER VIEW buffers OWNER TO $OWNER; GRANT SELECT ON buffers TO $READER
        """,
    ),
    "event triggers": Block(
        "",
        """
        CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        ALTER FUNCTION noted OWNER TO $OWNER;
        CREATE EVENT TRIGGER noting ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION noted();
        CREATE EVENT TRIGGER "off %" ON sql_drop EXECUTE FUNCTION noted(); ALTER EVENT TRIGGER "off %" DISABLE;
        COMMENT ON EVENT TRIGGER noting IS 'notes'
        """,
    ),
    "publications": Block(
        "CREATE TABLE published (id int PRIMARY KEY, name text)",
        """
        CREATE PUBLICATION changes FOR TABLE published WITH (publish = 'insert, truncate');
        CREATE PUBLICATION nothing_at_all; CREATE TABLE of_other (id int); ALTER TABLE of_other OWNER TO $OTHER;
        ALTER PUBLICATION changes ADD TABLE of_other; ALTER PUBLICATION changes OWNER TO $OTHER;
        COMMENT ON PUBLICATION changes IS 'what changes'; ALTER PUBLICATION nothing_at_all OWNER TO $OWNER
        """,
    ),
    "publications of everything": Block(
        "",
        """
        CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root);
        COMMENT ON PUBLICATION everything IS 'all of it'
        """,
    ),
    "publications of schemas": Block(
        "",
        """
        CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA $SCHEMA; COMMENT ON PUBLICATION of_schema IS 'a schema';
        CREATE TABLE filtered (id int PRIMARY KEY, b int); ALTER TABLE filtered OWNER TO $OWNER;
        CREATE PUBLICATION some_rows FOR TABLE filtered (id) WHERE (id > 3); ALTER PUBLICATION some_rows OWNER TO $OTHER
        """,
        first=15,
    ),
    "statistics": Block(
        """
        CREATE TABLE measured (a int, b int, c text); CREATE STATISTICS of_both (ndistinct, mcv) ON a, b FROM measured;
        CREATE STATISTICS of_expression ON (a + b), c FROM measured; ALTER STATISTICS of_both SET STATISTICS 7;
        COMMENT ON STATISTICS of_both IS 'both';
        ALTER TABLE measured ALTER a SET STATISTICS 99, ALTER b SET (n_distinct = 5)
        """,
        "ALTER STATISTICS of_both OWNER TO $OTHER",
    ),
    "text search": Block(
        """
        CREATE TEXT SEARCH DICTIONARY plain_words (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
        CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple);
        ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH plain_words;
        COMMENT ON TEXT SEARCH CONFIGURATION words IS 'of words'; COMMENT ON TEXT SEARCH DICTIONARY plain_words IS 'w';
        CREATE TABLE texts (t text, v tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.simple', t)) STORED);
        INSERT INTO texts VALUES ('some words')
        """,
        "ALTER TEXT SEARCH DICTIONARY plain_words OWNER TO $OTHER",
    ),
    "text search of a superuser": Block(
        "",
        """
        CREATE TEXT SEARCH TEMPLATE our_template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
        CREATE TEXT SEARCH DICTIONARY our_dictionary (TEMPLATE = our_template);
        ALTER TEXT SEARCH DICTIONARY our_dictionary OWNER TO $OWNER;
        CREATE TEXT SEARCH PARSER our_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
          LEXTYPES = prsd_lextype); COMMENT ON TEXT SEARCH PARSER our_parser IS 'parses';
        CREATE TEXT SEARCH CONFIGURATION our_words (PARSER = our_parser);
        ALTER TEXT SEARCH CONFIGURATION our_words OWNER TO $OTHER
        """,
    ),
    "collations": Block(
        """
        CREATE COLLATION bytewise (provider = libc, locale = 'C'); COMMENT ON COLLATION bytewise IS 'as bytes';
        CREATE TABLE sorted (t text COLLATE bytewise PRIMARY KEY); INSERT INTO sorted VALUES ('a'), ('B')
        """,
        "ALTER COLLATION bytewise OWNER TO $OTHER",
    ),
    "conversions": Block(
        "CREATE CONVERSION ours FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; COMMENT ON CONVERSION ours IS 'o'",
        "ALTER CONVERSION ours OWNER TO $OTHER",
    ),
    "casts": Block(
        """
        CREATE TYPE light AS ENUM ('on', 'off'); CREATE TYPE couple AS (a int, b int); CREATE TABLE rowlike (a int);
        CREATE FUNCTION to_int(couple) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
        CREATE FUNCTION of_row(rowlike) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.a'
        """,
        """
        CREATE CAST (text AS light) WITH INOUT AS ASSIGNMENT; CREATE CAST (couple AS int) WITH FUNCTION to_int(couple);
        CREATE CAST (rowlike AS int) WITH FUNCTION of_row(rowlike); COMMENT ON CAST (text AS light) IS 'by its name';
        ALTER TYPE light OWNER TO $OTHER; ALTER TYPE couple OWNER TO $OTHER
        """,
    ),
    "casts of a superuser": Block(
        "",
        """
        CREATE CAST (date AS int) WITHOUT FUNCTION; CREATE CAST (bool AS numeric) WITH INOUT;
        CREATE FUNCTION to_flag(text) RETURNS bool LANGUAGE sql IMMUTABLE AS $f$ SELECT $1 = 'yes' $f$;
        ALTER FUNCTION to_flag OWNER TO $OWNER; CREATE CAST (text AS bool) WITH FUNCTION to_flag(text);
        CREATE TRANSFORM FOR int LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal))
        """,
    ),
    "operators": Block(
        """
        CREATE FUNCTION same(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 = $2';
        CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same, COMMUTATOR = ===, RESTRICT = eqsel,
          JOIN = eqjoinsel); COMMENT ON OPERATOR === (int, int) IS 'the same';
        CREATE VIEW of_operator AS SELECT 1 === 1 AS yes
        """,
        "ALTER OPERATOR === (int, int) OWNER TO $OTHER",
    ),
    "operator classes": Block(
        "",
        """
        CREATE OPERATOR FAMILY our_family USING btree; ALTER OPERATOR FAMILY our_family USING btree OWNER TO $OTHER;
        CREATE OPERATOR CLASS other_ints FOR TYPE int4 USING btree FAMILY our_family AS OPERATOR 1 <,
          FUNCTION 1 btint4cmp(int4, int4); COMMENT ON OPERATOR CLASS other_ints USING btree IS 'of ints';
        ALTER OPERATOR CLASS other_ints USING btree OWNER TO $OWNER;
        ALTER OPERATOR FAMILY our_family USING btree ADD OPERATOR 1 < (int4, int8);
        CREATE TABLE classed (a int); ALTER TABLE classed OWNER TO $OWNER; CREATE INDEX ON classed (a other_ints)
        """,
    ),
    "base types": Block(
        "",
        """
        CREATE TYPE base; CREATE FUNCTION base_in(cstring) RETURNS base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
        CREATE FUNCTION base_out(base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
        CREATE TYPE base (INPUT = base_in, OUTPUT = base_out, LIKE = text); ALTER TYPE base OWNER TO $OWNER;
        CREATE TYPE shell; ALTER TYPE shell OWNER TO $OTHER;
        CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
        CREATE DOMAIN over_base AS base; ALTER DOMAIN over_base OWNER TO $OTHER
        """,
    ),
    "replica identity": Block(
        """
        CREATE TABLE full_one (id int); ALTER TABLE full_one REPLICA IDENTITY FULL;
        CREATE TABLE by_index (id int NOT NULL); CREATE UNIQUE INDEX by_index_id ON by_index (id);
        ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_id; CLUSTER by_index USING by_index_id
        """
    ),
    "storage": Block(
        """
        CREATE UNLOGGED TABLE fast (id int, t text) WITH (fillfactor = 70, autovacuum_enabled = off);
        INSERT INTO fast VALUES (1, 'a'); ALTER TABLE fast ALTER t SET STORAGE EXTERNAL, ALTER t SET COMPRESSION pglz;
        CREATE INDEX ON fast (id) WITH (fillfactor = 60); CREATE TABLE no_columns ();
        INSERT INTO no_columns DEFAULT VALUES;
        CREATE TABLE dropped (a int, b int, c int); INSERT INTO dropped VALUES (1, 2, 3); ALTER TABLE dropped DROP b
        """
    ),
    "constraints": Block(
        """
        CREATE TABLE booked (r int4range, c circle, EXCLUDE USING gist (r WITH &&) DEFERRABLE, EXCLUDE USING gist
          (c WITH &&) WHERE (r IS NOT NULL)); INSERT INTO booked VALUES ('[1,2)', '<(0,0),1>');
        CREATE TABLE keys (a int UNIQUE DEFERRABLE INITIALLY DEFERRED, b int PRIMARY KEY, c int);
        INSERT INTO keys VALUES (1, 2, -3); ALTER TABLE keys ADD CONSTRAINT lax CHECK (c > 0) NOT VALID;
        CREATE TABLE circular (id int PRIMARY KEY, up int REFERENCES circular);
        INSERT INTO circular VALUES (2, 1), (1, 2);
        CREATE TABLE left_one (id int PRIMARY KEY, r int); CREATE TABLE right_one (id int PRIMARY KEY, l int REFERENCES
          left_one); ALTER TABLE left_one ADD FOREIGN KEY (r) REFERENCES right_one
        """
    ),
    "constraints of 18": Block(
        """
        CREATE TABLE loose (a int CHECK (a > 0) NOT ENFORCED, b int); INSERT INTO loose VALUES (-1, NULL);
        ALTER TABLE loose ADD CONSTRAINT b_there NOT NULL b NOT VALID;
        CREATE TABLE temporal (v int4range, UNIQUE (v))
        """,
        first=18,
    ),
    "function of the search path": Block(
        """
        CREATE FUNCTION public.bare(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + 1';
        CREATE FUNCTION public.relying(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN bare($1); END';
        CREATE TABLE relying_one (id int CHECK (public.relying(id) > 0)); INSERT INTO relying_one VALUES (1)
        """
    ),
    "comments of many kinds": Block(
        """
        CREATE TABLE said (id int PRIMARY KEY); COMMENT ON TABLE said IS
          E'-- no comment; $$ \\\\ %s {}\\n\\\\.\\nCREATE TABLE x';
        CREATE FUNCTION said_of(int) RETURNS int LANGUAGE sql AS $f$ SELECT $1 /* ; */ -- '
        $f$; COMMENT ON FUNCTION said_of(int) IS E'a ''quoted'' word\\n\\\\restrict x'
        """
    ),
}
