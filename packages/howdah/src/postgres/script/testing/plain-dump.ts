/** What `pg_dump -C` of a current minor release writes, shortened; `@` is replaced by a number. */
export const PLAIN_DUMP = String.raw`--
-- PostgreSQL database dump
--

\restrict 9qEJyXs3kTc5TnXrgbd8xYv0AwQ1cJYh0mVnKdT2tS6Z

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: shop; Type: DATABASE; Schema: -; Owner: howdah_admin
--

CREATE DATABASE shop@ WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = libc LOCALE = 'C';


ALTER DATABASE shop@ OWNER TO howdah_admin;

\unrestrict 9qEJyXs3kTc5TnXrgbd8xYv0AwQ1cJYh0mVnKdT2tS6Z
\connect -reuse-previous=on "dbname='shop@'"
\restrict 9qEJyXs3kTc5TnXrgbd8xYv0AwQ1cJYh0mVnKdT2tS6Z

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET default_tablespace = '';
SET default_table_access_method = heap;

--
-- Name: customer_count(); Type: FUNCTION; Schema: public; Owner: howdah_admin
--

CREATE FUNCTION public.customer_count() RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
BEGIN
  -- don't count $1; it's a trap
  RETURN (SELECT count(*) FROM public.customers);
END;
$_$;


ALTER FUNCTION public.customer_count() OWNER TO howdah_admin;

--
-- Name: customers; Type: TABLE; Schema: public; Owner: howdah_admin
--

CREATE TABLE public.customers (
    id integer NOT NULL,
    name text DEFAULT 'a;b'::text,
    CONSTRAINT customers_name_check CHECK ((name <> ';'::text))
);


ALTER TABLE public.customers OWNER TO howdah_admin;

--
-- Data for Name: customers; Type: TABLE DATA; Schema: public; Owner: howdah_admin
--

COPY public.customers (id, name) FROM stdin;
1	Ann
2	tab\there
3	\N
\.


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: public; Owner: howdah_admin
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict 9qEJyXs3kTc5TnXrgbd8xYv0AwQ1cJYh0mVnKdT2tS6Z

`;
