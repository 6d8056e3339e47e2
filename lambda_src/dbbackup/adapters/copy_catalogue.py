"""The catalogue of a restored copy: which objects it has, named as pg_dump names them."""

from __future__ import annotations

from typing import Final

OBJECTS: Final = """
    WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT IN ('pg_catalog', 'pg_toast')
                 AND nspname !~ '^pg_(toast_)?temp_'),
    found AS (
        SELECT 'schema' AS kind, NULL::name AS schema, nspname::text AS name FROM pg_namespace
        UNION ALL SELECT 'extension', NULL, extname FROM pg_extension
        UNION ALL SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                                      WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END, n.nspname, relname
                  FROM pg_class c JOIN own n ON n.oid = c.relnamespace WHERE relkind NOT IN ('c', 't')
        UNION ALL SELECT 'row security', n.nspname, relname
                  FROM pg_class c JOIN own n ON n.oid = c.relnamespace WHERE relrowsecurity
        UNION ALL SELECT 'statistics', n.nspname, stxname FROM pg_statistic_ext s JOIN own n ON n.oid = s.stxnamespace
        UNION ALL SELECT 'constraint', n.nspname, c.relname || ' ' || k.conname
                  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN own n ON n.oid = c.relnamespace
        UNION ALL SELECT 'constraint', n.nspname, t.typname || ' ' || k.conname
                  FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN own n ON n.oid = t.typnamespace
        UNION ALL SELECT 'default', n.nspname, c.relname || ' ' || a.attname
                  FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN own n ON n.oid = c.relnamespace
                  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        UNION ALL SELECT 'trigger', n.nspname, c.relname || ' ' || t.tgname
                  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN own n ON n.oid = c.relnamespace
        UNION ALL SELECT 'rule', n.nspname, c.relname || ' ' || r.rulename
                  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN own n ON n.oid = c.relnamespace
        UNION ALL SELECT 'policy', n.nspname, c.relname || ' ' || p.polname
                  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN own n ON n.oid = c.relnamespace
        UNION ALL SELECT 'function', n.nspname, p.proname || '(' ||
                         CASE WHEN prokind = 'a' AND pronargs = 0 THEN '*' ELSE
                         array_to_string(ARRAY(SELECT format_type(a.type, NULL)
                                               FROM unnest(proargtypes) WITH ORDINALITY a(type, at) ORDER BY at), ', ')
                         END || ')'
                  FROM pg_proc p JOIN own n ON n.oid = p.pronamespace
        UNION ALL SELECT 'type', n.nspname, typname FROM pg_type t JOIN own n ON n.oid = t.typnamespace
        UNION ALL SELECT 'collation', n.nspname, collname FROM pg_collation t JOIN own n ON n.oid = t.collnamespace
        UNION ALL SELECT 'operator', n.nspname, oprname FROM pg_operator t JOIN own n ON n.oid = t.oprnamespace
        UNION ALL SELECT 'operator class', n.nspname, opcname FROM pg_opclass t JOIN own n ON n.oid = t.opcnamespace
        UNION ALL SELECT 'operator family', n.nspname, opfname FROM pg_opfamily t JOIN own n ON n.oid = t.opfnamespace
        UNION ALL SELECT 'text search configuration', n.nspname, cfgname
                  FROM pg_ts_config t JOIN own n ON n.oid = t.cfgnamespace
        UNION ALL SELECT 'text search dictionary', n.nspname, dictname
                  FROM pg_ts_dict t JOIN own n ON n.oid = t.dictnamespace
        UNION ALL SELECT 'foreign data wrapper', NULL, fdwname FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'server', NULL, srvname FROM pg_foreign_server
        UNION ALL SELECT 'event trigger', NULL, evtname FROM pg_event_trigger
        UNION ALL SELECT 'publication', NULL, pubname FROM pg_publication
    )
    SELECT convert_to(kind, 'SQL_ASCII'), convert_to(coalesce(schema, '')::text, {encoding}),
           convert_to(name, {encoding})
    FROM found
"""
"""Objects by kind, schema and name, where the name is what pg_dump has as an entry's tag.

In the archive's encoding, as bytes: so a name is the same on both sides whatever it is made of. Extensions' objects are
among them: more than the archive has does no harm.
"""
TABLES: Final = """
    SELECT convert_to(n.nspname::text, {encoding}), convert_to(c.relname::text, {encoding}),
           textsend(quote_ident(n.nspname) || '.' || quote_ident(c.relname)), relforcerowsecurity,
           EXISTS (SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
"""
"""Tables with their names as a statement has them, whether policies hold for the owner, and whether of an extension."""
