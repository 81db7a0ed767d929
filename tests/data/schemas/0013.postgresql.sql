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
CREATE FUNCTION public.forget_day() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN DELETE FROM sample_day WHERE check_id = NEW.check_id AND location = NEW.location AND day_us = NEW.slot_us - NEW.slot_us % 86400000000; RETURN NULL; END $$;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23000'; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.created_object (
    id text NOT NULL,
    check_id text NOT NULL,
    step text NOT NULL,
    what text NOT NULL,
    name text,
    needed text NOT NULL,
    run_id text NOT NULL,
    run_time text NOT NULL,
    stage character varying(16) NOT NULL,
    created_us bigint NOT NULL,
    due_us bigint NOT NULL,
    tries integer NOT NULL,
    trouble text NOT NULL,
    settled_us bigint,
    settled_by text NOT NULL,
    why text NOT NULL
);
CREATE TABLE public.event (
    id bigint NOT NULL,
    at_us bigint NOT NULL,
    kind text NOT NULL,
    check_id text,
    data text NOT NULL
);
CREATE SEQUENCE public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.event_id_seq OWNED BY public.event.id;
CREATE TABLE public.evidence (
    check_id text NOT NULL,
    location text NOT NULL,
    slot_us bigint NOT NULL,
    "position" integer NOT NULL,
    step text NOT NULL,
    request text NOT NULL,
    response_head text NOT NULL,
    body text NOT NULL,
    body_truncated boolean NOT NULL,
    body_sha256 character varying(64),
    addresses text NOT NULL
);
CREATE TABLE public.evidence_bundle (
    sha256 character varying(64) NOT NULL,
    check_id text NOT NULL,
    location text NOT NULL,
    slot_us bigint NOT NULL,
    "position" integer NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL
);
CREATE TABLE public.evidence_file (
    sha256 character varying(64) NOT NULL,
    form character varying(8) NOT NULL,
    size integer NOT NULL,
    content bytea NOT NULL,
    kept_us bigint DEFAULT '0'::bigint NOT NULL
);
CREATE TABLE public.handed_in (
    number bigint NOT NULL,
    check_id text NOT NULL,
    location text NOT NULL,
    slot_us bigint NOT NULL
);
CREATE SEQUENCE public.handed_in_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.handed_in_number_seq OWNED BY public.handed_in.number;
CREATE TABLE public.incident (
    id text NOT NULL,
    check_id text NOT NULL,
    since_us bigint NOT NULL,
    confirmed_us bigint NOT NULL,
    last_bad_us bigint NOT NULL,
    until_us bigint,
    failure text NOT NULL,
    reminders integer NOT NULL,
    severity character varying(16),
    worse_us bigint,
    worse_failure text,
    cause character varying(32)
);
CREATE TABLE public.incident_state (
    check_id text NOT NULL,
    state text NOT NULL
);
CREATE TABLE public.ledger (
    seq bigint NOT NULL,
    kind text NOT NULL,
    recorded_us bigint NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    from_us bigint,
    until_us bigint,
    scope text NOT NULL,
    data text NOT NULL,
    supersedes bigint,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.login_brake (
    account text NOT NULL,
    refused integer NOT NULL,
    paused_until_us bigint
);
CREATE TABLE public.message (
    id text NOT NULL,
    thread text NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    language character varying(2) NOT NULL,
    incident_id text,
    created_us bigint NOT NULL,
    content text NOT NULL,
    state character varying(8) NOT NULL,
    attempts integer NOT NULL,
    due_us bigint NOT NULL,
    lease_until_us bigint NOT NULL,
    lease_owner text NOT NULL,
    channel character varying(8) DEFAULT 'mail'::character varying NOT NULL,
    timezone text,
    held_until_us bigint DEFAULT '0'::bigint NOT NULL
);
CREATE TABLE public.message_recipient (
    message_id text NOT NULL,
    address text NOT NULL,
    name text NOT NULL,
    state character varying(8) NOT NULL,
    settled_us bigint,
    answer text NOT NULL,
    server text DEFAULT ''::text NOT NULL,
    tried_us bigint
);
CREATE TABLE public.outpost (
    location text NOT NULL,
    seen_us bigint NOT NULL,
    version text NOT NULL,
    config_sha256 character varying(64) NOT NULL
);
CREATE TABLE public.report (
    contract text NOT NULL,
    period text NOT NULL,
    number integer NOT NULL,
    automatic boolean NOT NULL,
    issued_us bigint NOT NULL,
    ledger_head text NOT NULL,
    sha256 text NOT NULL,
    files text NOT NULL,
    kind text DEFAULT 'monthly'::text NOT NULL
);
CREATE TABLE public.sample (
    check_id text NOT NULL,
    location text NOT NULL,
    slot_us bigint NOT NULL,
    started_us bigint NOT NULL,
    duration_us bigint NOT NULL,
    outcome character varying(8) NOT NULL,
    failure_kind character varying(16),
    attempts integer NOT NULL,
    lag_us bigint NOT NULL
);
CREATE TABLE public.sample_day (
    check_id text NOT NULL,
    location text NOT NULL,
    day_us bigint NOT NULL,
    runs text NOT NULL,
    durations bytea NOT NULL
);
CREATE TABLE public.sample_detail (
    check_id text NOT NULL,
    location text NOT NULL,
    slot_us bigint NOT NULL,
    run_id text NOT NULL,
    failure text,
    blip text,
    steps text NOT NULL,
    certificate text,
    reached text
);
ALTER TABLE ONLY public.event ALTER COLUMN id SET DEFAULT nextval('public.event_id_seq'::regclass);
ALTER TABLE ONLY public.handed_in ALTER COLUMN number SET DEFAULT nextval('public.handed_in_number_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0013');
INSERT INTO public.created_object VALUES ('é1', 'é1', 'é1', 'é1', 'é1', 'é1', 'é1', 'é1', 'é1', 1, 1, 1, 'é1', 1, 'é1', 'é1');
INSERT INTO public.event VALUES (1, 1, 'é1', 'é1', 'é1');
INSERT INTO public.evidence VALUES ('é1', 'é1', 1, 1, 'é1', 'é1', 'é1', 'é1', true, 'é1', 'é1');
INSERT INTO public.evidence_bundle VALUES ('é1', 'é1', 'é1', 1, 1, 1, '\x00ff');
INSERT INTO public.evidence_file VALUES ('é1', 'é1', 1, '\x00ff', 1);
INSERT INTO public.handed_in VALUES (1, 'é1', 'é1', 1);
INSERT INTO public.incident VALUES ('é1', 'é1', 1, 1, 1, 1, 'é1', 1, 'é1', 1, 'é1', 'é1');
INSERT INTO public.incident_state VALUES ('é1', 'é1');
INSERT INTO public.ledger VALUES (1, 'user-report', 1, 'ops', 'één melding', 1, NULL, '[]', '{}', NULL, '', '09db417cfb071dbf2c928600c27b045e61448fe7f37e8f238a7933ba2851528a');
INSERT INTO public.login_brake VALUES ('é1', 1, 1);
INSERT INTO public.message VALUES ('é1', 'é1', 1, 'é1', 'é1', 'é1', 1, 'é1', 'é1', 1, 1, 1, 'é1', 'é1', 'é1', 1);
INSERT INTO public.message_recipient VALUES ('é1', 'é1', 'é1', 'é1', 1, 'é1', 'é1', 1);
INSERT INTO public.outpost VALUES ('é1', 1, 'é1', 'é1');
INSERT INTO public.report VALUES ('é1', 'é1', 1, true, 1, 'é1', 'é1', 'é1', 'é1');
INSERT INTO public.sample VALUES ('é1', 'é1', 1, 1, 1, 'é1', 'é1', 1, 1);
INSERT INTO public.sample_day VALUES ('é1', 'é1', 1, 'é1', '\x00ff');
INSERT INTO public.sample_detail VALUES ('é1', 'é1', 1, 'é1', 'é1', 'é1', 'é1', 'é1', 'é1');
SELECT pg_catalog.setval('public.event_id_seq', 1, false);
SELECT pg_catalog.setval('public.handed_in_number_seq', 1, false);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.created_object
    ADD CONSTRAINT pk_created_object PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (id);
ALTER TABLE ONLY public.evidence
    ADD CONSTRAINT pk_evidence PRIMARY KEY (check_id, location, slot_us, "position");
ALTER TABLE ONLY public.evidence_bundle
    ADD CONSTRAINT pk_evidence_bundle PRIMARY KEY (sha256);
ALTER TABLE ONLY public.evidence_file
    ADD CONSTRAINT pk_evidence_file PRIMARY KEY (sha256);
ALTER TABLE ONLY public.handed_in
    ADD CONSTRAINT pk_handed_in PRIMARY KEY (number);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT pk_incident PRIMARY KEY (id);
ALTER TABLE ONLY public.incident_state
    ADD CONSTRAINT pk_incident_state PRIMARY KEY (check_id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT pk_ledger PRIMARY KEY (seq);
ALTER TABLE ONLY public.login_brake
    ADD CONSTRAINT pk_login_brake PRIMARY KEY (account);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT pk_message PRIMARY KEY (id);
ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT pk_message_recipient PRIMARY KEY (message_id, address);
ALTER TABLE ONLY public.outpost
    ADD CONSTRAINT pk_outpost PRIMARY KEY (location);
ALTER TABLE ONLY public.report
    ADD CONSTRAINT pk_report PRIMARY KEY (contract, kind, period, number);
ALTER TABLE ONLY public.sample
    ADD CONSTRAINT pk_sample PRIMARY KEY (check_id, location, slot_us);
ALTER TABLE ONLY public.sample_day
    ADD CONSTRAINT pk_sample_day PRIMARY KEY (check_id, location, day_us);
ALTER TABLE ONLY public.sample_detail
    ADD CONSTRAINT pk_sample_detail PRIMARY KEY (check_id, location, slot_us);
CREATE INDEX ix_created_object_recent ON public.created_object USING btree (check_id, created_us);
CREATE INDEX ix_created_object_stage ON public.created_object USING btree (stage);
CREATE INDEX ix_event_at_us ON public.event USING btree (at_us);
CREATE UNIQUE INDEX ix_evidence_bundle_sample ON public.evidence_bundle USING btree (check_id, location, slot_us, "position");
CREATE INDEX ix_evidence_file_kept ON public.evidence_file USING btree (kept_us);
CREATE INDEX ix_incident_since_us ON public.incident USING btree (since_us);
CREATE INDEX ix_message_aside ON public.message USING btree (channel) WHERE ((state)::text = 'aside'::text);
CREATE INDEX ix_message_incident_id ON public.message USING btree (incident_id);
CREATE INDEX ix_message_pending ON public.message USING btree (due_us) WHERE ((state)::text = 'pending'::text);
CREATE INDEX ix_message_recipient_lately ON public.message_recipient USING btree (address, settled_us);
CREATE INDEX ix_message_recipient_lost ON public.message_recipient USING btree (settled_us) WHERE ((state)::text = 'failed'::text);
CREATE INDEX ix_message_thread ON public.message USING btree (thread);
CREATE UNIQUE INDEX uq_incident_open ON public.incident USING btree (check_id) WHERE (until_us IS NULL);
CREATE UNIQUE INDEX uq_report_automatic ON public.report USING btree (contract, kind, period) WHERE automatic;
CREATE TRIGGER evidence_bundle_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.evidence_bundle FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER evidence_file_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.evidence_file FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER evidence_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.evidence FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER ledger_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER sample_detail_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.sample_detail FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER sample_forgets_its_day AFTER INSERT ON public.sample FOR EACH ROW EXECUTE FUNCTION public.forget_day();
CREATE TRIGGER sample_no_change BEFORE DELETE OR UPDATE OR TRUNCATE ON public.sample FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.message_recipient
    ADD CONSTRAINT fk_message_recipient_message_id FOREIGN KEY (message_id) REFERENCES public.message(id);
