-- What was not restored into 'ground_11 for the clerk' from /dev/shm/dbt-23905-vyj9s9bj/pytest-of-root/pytest-0/popen-gw1/test_an_incomplete_one_is_mark0/backups/ground_11_backup_20261125_190649.dump.
-- Mend the causes, then run it: psql --set=ON_ERROR_STOP=1 --dbname=... --file=THIS

-- Left out: setting statement_timeout of the role empty web in the database: permission denied to alter role
ALTER ROLE "empty web" IN DATABASE "ground_11 for the clerk" SET "statement_timeout" TO '5s'

-- Failed: INDEX shop.broken: not today CONTEXT: PL/pgSQL function shop.broken(integer) line 1 at RAISE

SET search_path = shop, public;
--
-- PostgreSQL database dump
--


-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

--
-- Name: broken; Type: INDEX; Schema: shop; Owner: -
--

CREATE INDEX broken ON shop.item USING btree (shop.broken(id));


--
-- PostgreSQL database dump complete
--


