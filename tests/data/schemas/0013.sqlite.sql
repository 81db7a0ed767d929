BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0013');
CREATE TABLE created_object (
	id TEXT NOT NULL, 
	check_id TEXT NOT NULL, 
	step TEXT NOT NULL, 
	what TEXT NOT NULL, 
	name TEXT, 
	needed TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	run_time TEXT NOT NULL, 
	stage VARCHAR(16) NOT NULL, 
	created_us BIGINT NOT NULL, 
	due_us BIGINT NOT NULL, 
	tries INTEGER NOT NULL, 
	trouble TEXT NOT NULL, 
	settled_us BIGINT, 
	settled_by TEXT NOT NULL, 
	why TEXT NOT NULL, 
	CONSTRAINT pk_created_object PRIMARY KEY (id)
);
INSERT INTO "created_object" VALUES('é1','é1','é1','é1','é1','é1','é1','é1','é1',1,1,1,'é1',1,'é1','é1');
CREATE TABLE event (
	id INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	check_id TEXT, 
	data TEXT NOT NULL, 
	CONSTRAINT pk_event PRIMARY KEY (id)
);
INSERT INTO "event" VALUES(1,1,'é1','é1','é1');
CREATE TABLE evidence (
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	slot_us BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	step TEXT NOT NULL, 
	request TEXT NOT NULL, 
	response_head TEXT NOT NULL, 
	body TEXT NOT NULL, 
	body_truncated BOOLEAN NOT NULL, 
	body_sha256 VARCHAR(64), 
	addresses TEXT NOT NULL, 
	CONSTRAINT pk_evidence PRIMARY KEY (check_id, location, slot_us, position)
);
INSERT INTO "evidence" VALUES('é1','é1',1,1,'é1','é1','é1','é1',1,'é1','é1');
CREATE TABLE evidence_bundle (
	sha256 VARCHAR(64) NOT NULL, 
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	slot_us BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_evidence_bundle PRIMARY KEY (sha256)
);
INSERT INTO "evidence_bundle" VALUES('é1','é1','é1',1,1,1,X'00FF');
CREATE TABLE evidence_file (
	sha256 VARCHAR(64) NOT NULL, 
	form VARCHAR(8) NOT NULL, 
	size INTEGER NOT NULL, 
	content BLOB NOT NULL, kept_us BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_evidence_file PRIMARY KEY (sha256)
);
INSERT INTO "evidence_file" VALUES('é1','é1',1,X'00FF',1);
CREATE TABLE handed_in (
	number INTEGER NOT NULL, 
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	slot_us BIGINT NOT NULL, 
	CONSTRAINT pk_handed_in PRIMARY KEY (number)
);
INSERT INTO "handed_in" VALUES(1,'é1','é1',1);
CREATE TABLE incident (
	id TEXT NOT NULL, 
	check_id TEXT NOT NULL, 
	since_us BIGINT NOT NULL, 
	confirmed_us BIGINT NOT NULL, 
	last_bad_us BIGINT NOT NULL, 
	until_us BIGINT, 
	failure TEXT NOT NULL, 
	reminders INTEGER NOT NULL, severity VARCHAR(16), worse_us BIGINT, worse_failure TEXT, cause VARCHAR(32), 
	CONSTRAINT pk_incident PRIMARY KEY (id)
);
INSERT INTO "incident" VALUES('é1','é1',1,1,1,1,'é1',1,'é1',1,'é1','é1');
CREATE TABLE incident_state (
	check_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	CONSTRAINT pk_incident_state PRIMARY KEY (check_id)
);
INSERT INTO "incident_state" VALUES('é1','é1');
CREATE TABLE ledger (
	seq BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	recorded_us BIGINT NOT NULL, 
	author TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	from_us BIGINT, 
	until_us BIGINT, 
	scope TEXT NOT NULL, 
	data TEXT NOT NULL, 
	supersedes BIGINT, 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_ledger PRIMARY KEY (seq)
);
INSERT INTO "ledger" VALUES(1,'user-report',1,'ops','één melding',1,NULL,'[]','{}',NULL,'','09db417cfb071dbf2c928600c27b045e61448fe7f37e8f238a7933ba2851528a');
CREATE TABLE login_brake (
	account TEXT NOT NULL, 
	refused INTEGER NOT NULL, 
	paused_until_us BIGINT, 
	CONSTRAINT pk_login_brake PRIMARY KEY (account)
);
INSERT INTO "login_brake" VALUES('é1',1,1);
CREATE TABLE message (
	id TEXT NOT NULL, 
	thread TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	language VARCHAR(2) NOT NULL, 
	incident_id TEXT, 
	created_us BIGINT NOT NULL, 
	content TEXT NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_us BIGINT NOT NULL, 
	lease_until_us BIGINT NOT NULL, 
	lease_owner TEXT NOT NULL, channel VARCHAR(8) DEFAULT 'mail' NOT NULL, timezone TEXT, held_until_us BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_message PRIMARY KEY (id)
);
INSERT INTO "message" VALUES('é1','é1',1,'é1','é1','é1',1,'é1','é1',1,1,1,'é1','é1','é1',1);
CREATE TABLE message_recipient (
	message_id TEXT NOT NULL, 
	address TEXT NOT NULL, 
	name TEXT NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	settled_us BIGINT, 
	answer TEXT NOT NULL, server TEXT DEFAULT '' NOT NULL, tried_us BIGINT, 
	CONSTRAINT pk_message_recipient PRIMARY KEY (message_id, address), 
	CONSTRAINT fk_message_recipient_message_id FOREIGN KEY(message_id) REFERENCES message (id)
);
INSERT INTO "message_recipient" VALUES('é1','é1','é1','é1',1,'é1','é1',1);
CREATE TABLE outpost (
	location TEXT NOT NULL, 
	seen_us BIGINT NOT NULL, 
	version TEXT NOT NULL, 
	config_sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_outpost PRIMARY KEY (location)
);
INSERT INTO "outpost" VALUES('é1',1,'é1','é1');
CREATE TABLE "report" (
	contract TEXT NOT NULL, 
	period TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	automatic BOOLEAN NOT NULL, 
	issued_us BIGINT NOT NULL, 
	ledger_head TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	files TEXT NOT NULL, 
	kind TEXT DEFAULT 'monthly' NOT NULL, 
	CONSTRAINT pk_report PRIMARY KEY (contract, kind, period, number)
);
INSERT INTO "report" VALUES('é1','é1',1,1,1,'é1','é1','é1','é1');
CREATE TABLE sample (
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	slot_us BIGINT NOT NULL, 
	started_us BIGINT NOT NULL, 
	duration_us BIGINT NOT NULL, 
	outcome VARCHAR(8) NOT NULL, 
	failure_kind VARCHAR(16), 
	attempts INTEGER NOT NULL, 
	lag_us BIGINT NOT NULL, 
	CONSTRAINT pk_sample PRIMARY KEY (check_id, location, slot_us)
)
 WITHOUT ROWID

;
INSERT INTO "sample" VALUES('é1','é1',1,1,1,'é1','é1',1,1);
CREATE TABLE sample_day (
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	day_us BIGINT NOT NULL, 
	runs TEXT NOT NULL, 
	durations BLOB NOT NULL, 
	CONSTRAINT pk_sample_day PRIMARY KEY (check_id, location, day_us)
);
INSERT INTO "sample_day" VALUES('é1','é1',1,'é1',X'00FF');
CREATE TABLE sample_detail (
	check_id TEXT NOT NULL, 
	location TEXT NOT NULL, 
	slot_us BIGINT NOT NULL, 
	run_id TEXT NOT NULL, 
	failure TEXT, 
	blip TEXT, 
	steps TEXT NOT NULL, 
	certificate TEXT, reached TEXT, 
	CONSTRAINT pk_sample_detail PRIMARY KEY (check_id, location, slot_us)
)
 WITHOUT ROWID

;
INSERT INTO "sample_detail" VALUES('é1','é1',1,'é1','é1','é1','é1','é1','é1');
CREATE INDEX ix_incident_since_us ON incident (since_us);
CREATE UNIQUE INDEX uq_incident_open ON incident (check_id) WHERE until_us IS NULL;
CREATE INDEX ix_message_thread ON message (thread);
CREATE INDEX ix_message_incident_id ON message (incident_id);
CREATE INDEX ix_message_pending ON message (due_us) WHERE state = 'pending';
CREATE INDEX ix_event_at_us ON event (at_us);
CREATE TRIGGER sample_no_update BEFORE UPDATE ON sample BEGIN SELECT RAISE(ABORT, 'sample is append-only'); END;
CREATE TRIGGER sample_no_delete BEFORE DELETE ON sample BEGIN SELECT RAISE(ABORT, 'sample is append-only'); END;
CREATE TRIGGER sample_detail_no_update BEFORE UPDATE ON sample_detail BEGIN SELECT RAISE(ABORT, 'sample_detail is append-only'); END;
CREATE TRIGGER sample_detail_no_delete BEFORE DELETE ON sample_detail BEGIN SELECT RAISE(ABORT, 'sample_detail is append-only'); END;
CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE UNIQUE INDEX uq_report_automatic ON report (contract, kind, period) WHERE automatic = 1;
CREATE TRIGGER sample_forgets_its_day AFTER INSERT ON sample BEGIN DELETE FROM sample_day WHERE check_id = NEW.check_id AND location = NEW.location AND day_us = NEW.slot_us - NEW.slot_us % 86400000000; END;
CREATE INDEX ix_created_object_recent ON created_object (check_id, created_us);
CREATE INDEX ix_created_object_stage ON created_object (stage);
CREATE UNIQUE INDEX ix_evidence_bundle_sample ON evidence_bundle (check_id, location, slot_us, position);
CREATE TRIGGER evidence_bundle_no_update BEFORE UPDATE ON evidence_bundle BEGIN SELECT RAISE(ABORT, 'evidence_bundle is append-only'); END;
CREATE TRIGGER evidence_bundle_no_delete BEFORE DELETE ON evidence_bundle BEGIN SELECT RAISE(ABORT, 'evidence_bundle is append-only'); END;
CREATE INDEX ix_message_recipient_lately ON message_recipient (address, settled_us);
CREATE TRIGGER evidence_file_no_update BEFORE UPDATE ON evidence_file BEGIN SELECT RAISE(ABORT, 'evidence_file is append-only'); END;
CREATE TRIGGER evidence_file_no_delete BEFORE DELETE ON evidence_file BEGIN SELECT RAISE(ABORT, 'evidence_file is append-only'); END;
CREATE INDEX ix_evidence_file_kept ON evidence_file (kept_us);
CREATE INDEX ix_message_aside ON message (channel) WHERE state = 'aside';
CREATE INDEX ix_message_recipient_lost ON message_recipient (settled_us) WHERE state = 'failed';
COMMIT;
