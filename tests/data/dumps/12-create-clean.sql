--
-- PostgreSQL database dump
--

\restrict scvdWPWwrUc7kFD2iDWtAfjACKkFkB5wGBERMMsHPOg6JLW0Rxv2rxCwW040dhF

-- Dumped from database version 12.22
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

DROP DATABASE shop;
--
-- Name: shop; Type: DATABASE; Schema: -; Owner: postgres
--

CREATE DATABASE shop WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';


ALTER DATABASE shop OWNER TO postgres;

\unrestrict scvdWPWwrUc7kFD2iDWtAfjACKkFkB5wGBERMMsHPOg6JLW0Rxv2rxCwW040dhF
\connect shop
\restrict scvdWPWwrUc7kFD2iDWtAfjACKkFkB5wGBERMMsHPOg6JLW0Rxv2rxCwW040dhF

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: public; Type: SCHEMA; Schema: -; Owner: postgres
--

-- *not* creating schema, since initdb creates it


ALTER SCHEMA public OWNER TO postgres;

--
-- Name: shop; Type: SCHEMA; Schema: -; Owner: app
--

CREATE SCHEMA shop;


ALTER SCHEMA shop OWNER TO app;

--
-- Name: twice(integer); Type: FUNCTION; Schema: shop; Owner: postgres
--

CREATE FUNCTION shop.twice(n integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT 2 * n; -- ;
$$;


ALTER FUNCTION shop.twice(n integer) OWNER TO postgres;

--
-- Name: counter; Type: SEQUENCE; Schema: shop; Owner: postgres
--

CREATE SEQUENCE shop.counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE shop.counter OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: item; Type: TABLE; Schema: shop; Owner: app
--

CREATE TABLE shop.item (
    id integer NOT NULL,
    name text NOT NULL,
    price numeric,
    CONSTRAINT item_price_check CHECK ((price >= (0)::numeric))
);


ALTER TABLE shop.item OWNER TO app;

--
-- Name: TABLE item; Type: COMMENT; Schema: shop; Owner: app
--

COMMENT ON TABLE shop.item IS 'it''s; for sale';


--
-- Name: dear; Type: VIEW; Schema: shop; Owner: postgres
--

CREATE VIEW shop.dear AS
 SELECT item.id,
    item.name,
    item.price
   FROM shop.item
  WHERE (item.price > (10)::numeric);


ALTER TABLE shop.dear OWNER TO postgres;

--
-- Name: sale; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.sale (
    item integer,
    at date
)
PARTITION BY RANGE (at);


ALTER TABLE shop.sale OWNER TO postgres;

--
-- Name: sale_2024; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.sale_2024 (
    item integer,
    at date
);


ALTER TABLE shop.sale_2024 OWNER TO postgres;

--
-- Name: sale_2024; Type: TABLE ATTACH; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.sale ATTACH PARTITION shop.sale_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');


--
-- Name: 16415; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('16415');


ALTER LARGE OBJECT 16415 OWNER TO postgres;

--
-- Data for Name: item; Type: TABLE DATA; Schema: shop; Owner: app
--

COPY shop.item (id, name, price) FROM stdin;
1	item; 1 \\ tab\t	1
2	item; 2 \\ tab\t	2
3	item; 3 \\ tab\t	3
4	item; 4 \\ tab\t	4
5	item; 5 \\ tab\t	5
6	item; 6 \\ tab\t	6
7	item; 7 \\ tab\t	7
8	item; 8 \\ tab\t	8
9	item; 9 \\ tab\t	9
10	item; 10 \\ tab\t	10
11	item; 11 \\ tab\t	11
12	item; 12 \\ tab\t	12
13	item; 13 \\ tab\t	13
14	item; 14 \\ tab\t	14
15	item; 15 \\ tab\t	15
16	item; 16 \\ tab\t	16
17	item; 17 \\ tab\t	17
18	item; 18 \\ tab\t	18
19	item; 19 \\ tab\t	19
20	item; 20 \\ tab\t	20
21	item; 21 \\ tab\t	21
22	item; 22 \\ tab\t	22
23	item; 23 \\ tab\t	23
24	item; 24 \\ tab\t	24
25	item; 25 \\ tab\t	25
26	item; 26 \\ tab\t	26
27	item; 27 \\ tab\t	27
28	item; 28 \\ tab\t	28
29	item; 29 \\ tab\t	29
30	item; 30 \\ tab\t	30
\.


--
-- Data for Name: sale_2024; Type: TABLE DATA; Schema: shop; Owner: postgres
--

COPY shop.sale_2024 (item, at) FROM stdin;
1	2024-01-02
2	2024-01-03
3	2024-01-04
4	2024-01-05
5	2024-01-06
6	2024-01-07
7	2024-01-08
8	2024-01-09
9	2024-01-10
10	2024-01-11
11	2024-01-12
12	2024-01-13
13	2024-01-14
14	2024-01-15
15	2024-01-16
16	2024-01-17
17	2024-01-18
18	2024-01-19
19	2024-01-20
20	2024-01-21
\.


--
-- Name: counter; Type: SEQUENCE SET; Schema: shop; Owner: postgres
--

SELECT pg_catalog.setval('shop.counter', 41, true);


--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('16415', 131072);
SELECT pg_catalog.lowrite(0, '\x61206c61726765206f626a656374');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: item item_pkey; Type: CONSTRAINT; Schema: shop; Owner: app
--

ALTER TABLE ONLY shop.item
    ADD CONSTRAINT item_pkey PRIMARY KEY (id);


--
-- Name: sale sale_item_fkey; Type: FK CONSTRAINT; Schema: shop; Owner: postgres
--

ALTER TABLE shop.sale
    ADD CONSTRAINT sale_item_fkey FOREIGN KEY (item) REFERENCES shop.item(id);


--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: postgres
--

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO PUBLIC;


--
-- Name: TABLE item; Type: ACL; Schema: shop; Owner: app
--

GRANT SELECT ON TABLE shop.item TO pg_monitor;


--
-- PostgreSQL database dump complete
--

\unrestrict scvdWPWwrUc7kFD2iDWtAfjACKkFkB5wGBERMMsHPOg6JLW0Rxv2rxCwW040dhF

