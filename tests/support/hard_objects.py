# ruff: noqa: E501 - statements are easier to read in one line each
"""A database with one of everything that is easy to lose on the way."""

from __future__ import annotations

import os

OWNER = f"owner of {os.getpid()}"
EXTENSIONS = ("pg_trgm", "hstore", "citext", "btree_gist", "unaccent", "postgres_fdw", "ltree", "cube")

OBJECTS = f"""
{"".join(f"CREATE EXTENSION {name};" for name in EXTENSIONS)}
CREATE ROLE "{OWNER}";
CREATE SCHEMA shop AUTHORIZATION "{OWNER}";
COMMENT ON SCHEMA shop IS 'goods & money; it''s "ours"';

CREATE DOMAIN shop.email AS citext CHECK (VALUE ~ '@') NOT NULL;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'it''s sent');
CREATE TYPE shop.address AS (street text, zip varchar(10));
CREATE FUNCTION shop.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE PROCEDURE shop.nothing() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE AGGREGATE shop.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');

CREATE TABLE shop.customer (
    id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY,
    mail shop.email UNIQUE, lives shop.address, tags hstore, path ltree,
    stored int GENERATED ALWAYS AS (40 + 2) STORED, virtual int GENERATED ALWAYS AS (id * 2) VIRTUAL
);
ALTER TABLE shop.customer OWNER TO "{OWNER}";
INSERT INTO shop.customer (mail, lives, tags, path)
    SELECT 'c' || n || '@example.org', ROW('Straße ' || n, n::text)::shop.address, hstore('n', n::text), ('a.b' || n)::ltree
    FROM generate_series(1, 50) n;
COMMENT ON COLUMN shop.customer.mail IS E'two\nlines';

CREATE TABLE shop.booking (room int, during tsrange, state shop.state DEFAULT 'new', price numeric CHECK (price >= 0),
    customer int REFERENCES shop.customer ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO shop.booking VALUES (1, '[2025-01-01,2025-01-02)', 'paid', 'NaN', 100), (1, '[2025-01-03,)', NULL, 1e50, 105);
SET CONSTRAINTS ALL IMMEDIATE;
CREATE INDEX booking_by_price ON shop.booking (price DESC NULLS LAST) INCLUDE (room) WHERE state = 'paid';
CREATE INDEX customer_trigrams ON shop.customer USING gin ((mail::text) gin_trgm_ops);
ALTER TABLE shop.booking ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.booking FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rooms ON shop.booking FOR SELECT TO "{OWNER}" USING (room < 10);
GRANT SELECT (room, price), UPDATE ON shop.booking TO "{OWNER}" WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO "{OWNER}";

CREATE TABLE shop.log (day date, kind text, body jsonb) PARTITION BY RANGE (day);
CREATE TABLE shop.log_2024 PARTITION OF shop.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.log_2025 PARTITION OF shop.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE shop.log_2025_a PARTITION OF shop.log_2025 FOR VALUES IN ('a', NULL);
CREATE TABLE shop.log_2025_rest PARTITION OF shop.log_2025 DEFAULT;
CREATE TABLE shop.log_rest PARTITION OF shop.log DEFAULT;
INSERT INTO shop.log SELECT date '2023-06-01' + n * 20, (ARRAY['a', 'b', NULL])[n % 3 + 1], jsonb_build_object('n', n)
    FROM generate_series(1, 60) n;
CREATE TABLE shop.spread (id int, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE shop.spread_0 PARTITION OF shop.spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shop.spread_1 PARTITION OF shop.spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shop.spread SELECT generate_series(1, 40);

CREATE TABLE parent (id int, note text);
CREATE TABLE child (extra bool) INHERITS (parent);
INSERT INTO parent VALUES (1, 'p');
INSERT INTO child VALUES (2, E'tab\\t back\\\\slash \\\\N', true), (3, NULL, NULL), (4, '', false);
CREATE UNLOGGED TABLE scratch AS SELECT generate_series(1, 7) n;
CREATE TABLE empty_one (id int);
CREATE TABLE without_columns ();
INSERT INTO without_columns SELECT FROM generate_series(1, 5);
CREATE TABLE all_generated (a int GENERATED ALWAYS AS (1) STORED);
INSERT INTO all_generated SELECT FROM generate_series(1, 4);
CREATE TABLE lost_a_column (a int, gone text, b int);
INSERT INTO lost_a_column VALUES (1, 'x', 2);
ALTER TABLE lost_a_column DROP COLUMN gone;
CREATE TABLE oddly_typed (f float8, b bytea, t timestamptz, i interval, arr int[][], u uuid, bits bit varying, m money);
INSERT INTO oddly_typed VALUES
    ('Infinity', '\\x00ff5c', '2025-01-11 02:00:00.123456+05', '1 mon -3 days', '{{{{1,2}},{{3,NULL}}}}',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', B'101', 12.34),
    (0.1 + 0.2, '', 'infinity', '-1 sec', '{{}}', NULL, B'', -1), ('-0', NULL, '4000-01-01 BC', NULL, NULL, NULL, NULL, NULL);

CREATE SEQUENCE counter AS smallint INCREMENT BY -3 MAXVALUE 100 START 100 CYCLE;
SELECT nextval('counter'), nextval('counter');
CREATE SEQUENCE never_called START 42;
CREATE TABLE numbered (id serial PRIMARY KEY);
INSERT INTO numbered SELECT FROM generate_series(1, 9);
SELECT setval('numbered_id_seq', 1000, false);

CREATE VIEW cheap WITH (security_barrier) AS SELECT * FROM shop.booking WHERE price < 100 WITH CASCADED CHECK OPTION;
CREATE MATERIALIZED VIEW totals AS SELECT kind, count(*) n FROM shop.log GROUP BY kind;
CREATE UNIQUE INDEX ON totals (kind);
CREATE MATERIALIZED VIEW not_filled AS SELECT 1 AS one WITH NO DATA;
CREATE RULE no_delete AS ON DELETE TO parent DO INSTEAD NOTHING;
CREATE STATISTICS customer_statistics (dependencies) ON id, stored FROM shop.customer;

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE OF note ON parent FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch();
ALTER TABLE parent DISABLE TRIGGER touched;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE DEBUG '%', tg_tag; END $$;
CREATE EVENT TRIGGER watching ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION watch();
COMMENT ON EVENT TRIGGER watching IS 'sees all';

CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');
CREATE FOREIGN TABLE far_away (id int, name text) SERVER elsewhere OPTIONS (table_name 'there');
CREATE PUBLICATION outward FOR TABLE shop.customer (id, mail) WHERE (id > 3);
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE COLLATION german (provider = builtin, locale = 'C.UTF-8');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE CAST (bool AS numeric) WITH INOUT;

SELECT lo_from_bytea(1001, '\\x000102'), lo_from_bytea(1002, ''),
       lo_from_bytea(1003, convert_to(repeat('large object ', 100000), 'UTF8'));
COMMENT ON LARGE OBJECT 1001 IS 'small';
ALTER LARGE OBJECT 1002 OWNER TO "{OWNER}";

CREATE SCHEMA "Größe ""quoted""
second line";
CREATE TABLE "Größe ""quoted""
second line"."tab'le with; spaces
and a line" ("col umn" int, "zahlé\t数" text, "select" bool);
INSERT INTO "Größe ""quoted""
second line"."tab'le with; spaces
and a line" VALUES (1, 'ä', true), (2, '数据', NULL);
CREATE TABLE "TABLE DATA x y" ("a.b" int);
INSERT INTO "TABLE DATA x y" VALUES (1);
"""
