"""Tables of a wanted size whose text compresses about as well as an application's rows do."""

from __future__ import annotations

from devtools.postgres import Server

ROW_DUMP_BYTES = 211
"""Bytes of one row in a plain dump, measured."""
_TABLES = 4


def fill(server: Server, database: str, dump_bytes: int) -> None:
    """Create a database whose plain dump has about ``dump_bytes`` bytes, spread over a few tables."""
    server.execute(f'CREATE DATABASE "{database}"')
    rows = dump_bytes // ROW_DUMP_BYTES // _TABLES
    with server.connect(database) as connection:
        for number in range(_TABLES):
            connection.execute(
                f"""
                CREATE TABLE visits_{number} (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    customer integer NOT NULL, happened timestamptz NOT NULL, amount numeric(10,2) NOT NULL,
                    status text NOT NULL, note text NOT NULL
                )""".encode()
            )
            connection.execute(
                f"""
                INSERT INTO visits_{number} (customer, happened, amount, status, note)
                SELECT (g * 7919) % 50000, timestamptz '2025-01-01 00:00Z' + g::integer * interval '37 seconds',
                       ((g * 104729) % 1000000) / 100.0,
                       (ARRAY['booked','confirmed','done','cancelled'])[1 + g % 4],
                       'visit of customer ' || (g * 7919) % 50000 || ' at the counter, reference ' || md5((g/8)::text)
                       || ', colour and style as agreed on the telephone, paid by card in the shop'
                FROM generate_series(1, {rows}::bigint) AS g""".encode()
            )
        connection.execute(b"VACUUM ANALYZE")
