"""Queries for what a database holds that a dump carries: asked of the source at backup, of the copy at restore."""

from __future__ import annotations

from typing import Final

TABLES: Final = """
    SELECT c.oid, n.nspname, c.relname, coalesce(pg_table_size(c.oid), 0)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
"""The tables whose rows pg_dump writes: ordinary ones, partitions among them, that no extension owns."""

OBJECTS: Final = """
    WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
    of_extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
    found AS (
        SELECT CASE relkind WHEN 'r' THEN 'tables' WHEN 'p' THEN 'partitioned tables' WHEN 'v' THEN 'views'
                            WHEN 'm' THEN 'materialized views' WHEN 'S' THEN 'sequences' ELSE 'indexes' END AS kind
        FROM pg_class c
        WHERE relnamespace IN (SELECT oid FROM own) AND relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I')
          AND relpersistence <> 't'
          AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_class'::regclass
                          AND e.objid IN (c.oid, (SELECT indrelid FROM pg_index WHERE indexrelid = c.oid)))
        UNION ALL
        SELECT 'constraints' FROM pg_constraint k
        WHERE connamespace IN (SELECT oid FROM own) AND contype IN ('c', 'f', 'p', 'u', 'x')
          AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = k.conrelid)
          AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_type'::regclass AND e.objid = k.contypid)
        UNION ALL
        SELECT 'functions' FROM pg_proc p
        WHERE pronamespace IN (SELECT oid FROM own)
          AND NOT EXISTS (SELECT FROM of_extensions e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
        UNION ALL
        SELECT 'triggers' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT tgisinternal AND c.relnamespace IN (SELECT oid FROM own)
        UNION ALL
        SELECT 'policies' FROM pg_policy
        UNION ALL
        SELECT 'large objects' FROM pg_largeobject_metadata
    )
    SELECT kind, count(*) FROM found GROUP BY kind ORDER BY kind
"""
"""Objects of each kind, without those of extensions. Not-null constraints are left out: only some majors list them."""
