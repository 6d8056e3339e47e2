-- The application of the demo: salons, their customers and appointments, with what real databases have besides tables.
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;

CREATE TYPE appointment_status AS ENUM ('booked', 'confirmed', 'done', 'cancelled');
CREATE DOMAIN cents AS integer CHECK (VALUE >= 0);

CREATE TABLE salon (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    opened date NOT NULL
);
COMMENT ON TABLE salon IS 'Where customers go; "name" is what the sign says';

CREATE TABLE "User" (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email citext NOT NULL UNIQUE,
    full_name text NOT NULL,
    preferences jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE INDEX user_name_search ON "User" USING gin (full_name gin_trgm_ops);

CREATE TABLE service (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    salon_id integer NOT NULL REFERENCES salon,
    title text NOT NULL,
    net_price cents NOT NULL,
    gross_price integer GENERATED ALWAYS AS (net_price * 118 / 100) STORED
);

CREATE TABLE appointment (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id integer NOT NULL REFERENCES "User",
    service_id integer NOT NULL REFERENCES service,
    starts_at timestamptz NOT NULL,
    status appointment_status NOT NULL,
    note text,
    PRIMARY KEY (id, starts_at)
) PARTITION BY RANGE (starts_at);
CREATE TABLE appointment_2025_h1 PARTITION OF appointment FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE appointment_2025_h2 PARTITION OF appointment FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');
CREATE TABLE appointment_other PARTITION OF appointment DEFAULT;
CREATE INDEX ON appointment (user_id, starts_at);

CREATE TABLE payment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES "User",
    amount cents NOT NULL,
    reference uuid NOT NULL,
    paid_at timestamptz NOT NULL
);
ALTER TABLE payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_payments ON payment USING (user_id = current_setting('ftry.user_id', true)::integer);

CREATE SCHEMA "Straße 7";
CREATE TABLE "Straße 7"."price list, ""old""" (
    "item
(two lines)" text,
    price numeric(8, 2)
);

CREATE TABLE flag ();
CREATE TABLE photo (salon_id integer NOT NULL REFERENCES salon, image oid NOT NULL);

INSERT INTO salon (name, opened)
SELECT 'Salon ' || g, date '2015-01-01' + g FROM generate_series(1, 50) g;
INSERT INTO "User" (email, full_name, preferences, created_at)
SELECT 'user' || g || '@example.com', (ARRAY['Asha','Bjørn','Chloé','Dmitri','Eun-ji'])[1 + g % 5] || ' ' || md5(g::text),
       jsonb_build_object('reminder', g % 2 = 0, 'language', (ARRAY['en','hi','de'])[1 + g % 3]),
       timestamptz '2024-01-01 00:00Z' + g * interval '11 minutes'
FROM generate_series(1, 20000) g;
INSERT INTO service (salon_id, title, net_price)
SELECT 1 + g % 50, 'Service ' || g, 500 + (g * 37) % 9000 FROM generate_series(1, 500) g;
INSERT INTO appointment (user_id, service_id, starts_at, status, note)
SELECT 1 + (g * 7919) % 20000, 1 + g % 500, timestamptz '2024-11-01 08:00Z' + g * interval '3 minutes',
       (enum_range(NULL::appointment_status))[1 + g % 4], CASE WHEN g % 3 = 0 THEN 'asked for ' || md5(g::text) END
FROM generate_series(1, 200000) g;
INSERT INTO payment (user_id, amount, reference, paid_at)
SELECT 1 + (g * 104729) % 20000, (g * 31) % 20000, md5('payment' || g)::uuid,
       timestamptz '2025-01-01 08:00Z' + g * interval '5 minutes'
FROM generate_series(1::bigint, 120000) g;
INSERT INTO "Straße 7"."price list, ""old""" VALUES ('Föhn', 12.50), (E'two\nlines', 3);
INSERT INTO flag DEFAULT VALUES;
INSERT INTO photo SELECT id, lo_from_bytea(0, decode(repeat(md5(id::text), 2000), 'hex')) FROM salon WHERE id <= 5;

CREATE MATERIALIZED VIEW revenue_by_month AS
SELECT date_trunc('month', paid_at) AS month, sum(amount) AS cents FROM payment GROUP BY 1;
CREATE VIEW busy_salon AS
SELECT s.name, count(*) AS appointments
FROM salon s JOIN service v ON v.salon_id = s.id JOIN appointment a ON a.service_id = v.id
GROUP BY s.name;
ANALYZE;
