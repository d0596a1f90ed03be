-- Requests: one owner's order to renew (or to leave) one number now. Single orders are ordinary rows (DESIGN: number sets).

CREATE TABLE request (
    id           text PRIMARY KEY,
    seq          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    purpose      text NOT NULL CHECK (purpose IN ('renew', 'leave')),
    number       bigint NOT NULL,
    carrier      text NOT NULL,
    opened_on    date,
    cutoff       timestamptz NOT NULL,
    answer_by    timestamptz NOT NULL,
    channel      text NOT NULL,
    language     text NOT NULL,
    consent_text text NOT NULL,
    requested_at timestamptz NOT NULL
);
COMMENT ON COLUMN request.opened_on IS 'the day on which the tenure of whoever ordered began, as the carrier reported; NULL if not known';
COMMENT ON COLUMN request.consent_text IS 'the words that were agreed to';
CREATE INDEX request_by_number ON request (number, seq DESC);

CREATE TABLE request_notice (
    id         text PRIMARY KEY,
    request_id text NOT NULL REFERENCES request,
    partner_id bigint NOT NULL REFERENCES partner,
    sent_at    timestamptz NOT NULL,
    UNIQUE (request_id, partner_id)
);
CREATE INDEX request_notice_by_partner ON request_notice (partner_id, sent_at DESC);

CREATE TABLE request_answer (
    id          text NOT NULL,
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_id   text NOT NULL REFERENCES request_notice,
    outcome     text NOT NULL,
    reason      text NOT NULL,
    until_day   date,
    received_at timestamptz NOT NULL
);
CREATE INDEX request_answer_by_notice ON request_answer (notice_id, seq DESC);

-- An event may be about a notice of either kind.
ALTER TABLE delivery DROP CONSTRAINT delivery_notice_id_fkey;

-- Codes by SMS: short-lived, and limited. The code itself is never stored, nor is the address that asked.
CREATE TABLE sms_code (
    id         text PRIMARY KEY,
    number     bigint NOT NULL,
    code_hash  bytea NOT NULL,
    asked_from bytea NOT NULL,
    asked_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    used_at    timestamptz
);
CREATE INDEX sms_code_by_number ON sms_code (number, asked_at);
CREATE INDEX sms_code_by_address ON sms_code (asked_from, asked_at);
CREATE INDEX sms_code_by_time ON sms_code (asked_at);

CREATE TABLE used_handover (
    jti        text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE used_handover IS 'signed hand-overs of a carrier''s app that were shown once: none is taken twice';

-- Messages to owners, sent after the transaction that they tell of.
CREATE TABLE request_done (
    request_id text PRIMARY KEY REFERENCES request,
    done_at    timestamptz NOT NULL,
    next_at    timestamptz,
    told_at    timestamptz,
    attempts   integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE request_done IS 'requests that every partner has answered, and the message that says so to the owner';
CREATE INDEX request_done_due ON request_done (next_at) WHERE next_at IS NOT NULL;

-- Apps that people named and that are not connected.
CREATE TABLE wished_partner (
    name      text NOT NULL,
    number_hash bytea NOT NULL,
    wished_at timestamptz NOT NULL,
    PRIMARY KEY (name, number_hash)
);
COMMENT ON TABLE wished_partner IS 'one wish per number and name, so that nobody is counted twice; the number itself is not stored';

-- Certificates (易主证明): which were given out, so that they can be shown again and revoked.
CREATE TABLE certificate (
    id         text PRIMARY KEY,
    number     bigint NOT NULL,
    carrier    text NOT NULL,
    opened_on  date NOT NULL,
    before     text NOT NULL CHECK (before IN ('another_subscriber', 'nobody_reported')),
    token      text NOT NULL,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    issued_by  text NOT NULL
);
COMMENT ON COLUMN certificate.token IS 'the signed statement, byte for byte as it was given out';
COMMENT ON COLUMN certificate.issued_by IS 'by which way it was asked for: a channel of the owner, or an operator';
CREATE INDEX certificate_by_number ON certificate (number, opened_on);
CREATE TABLE certificate_revocation (
    certificate_id text PRIMARY KEY REFERENCES certificate,
    reason     text NOT NULL CHECK (reason IN ('holder', 'mistake', 'dispute')),
    note       text NOT NULL,
    revoked_by text NOT NULL,
    revoked_at timestamptz NOT NULL
);
COMMENT ON COLUMN certificate_revocation.reason IS 'shown to whoever verifies; the note is not';
CREATE TABLE certificate_miss (
    certificate_id text NOT NULL REFERENCES certificate,
    at         timestamptz NOT NULL
);
COMMENT ON TABLE certificate_miss IS 'numbers compared with a certificate that were not its own: a few a day, so that none is found by trying';
CREATE INDEX certificate_miss_by_certificate ON certificate_miss (certificate_id, at);

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['request', 'request_notice', 'request_answer', 'certificate', 'certificate_revocation']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
