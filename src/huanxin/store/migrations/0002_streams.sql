-- Partners connect by themselves. A stream says how a partner is told (OpenID SSF 1.0): pushed (RFC 8935), polled (RFC 8936)
-- or by files. The events themselves stay the partner's: a stream that goes and comes again finds what was not taken yet.

-- Streams -------------------------------------------------------------------------------------------------------------
CREATE TABLE stream (
    id               text PRIMARY KEY,
    partner_id       bigint NOT NULL UNIQUE REFERENCES partner,
    method           text NOT NULL CHECK (method IN ('push', 'poll', 'files')),
    endpoint         text,
    inbox            text,
    "authorization"  text,
    events_requested text[] NOT NULL,
    alg              text NOT NULL CHECK (alg IN ('ES256', 'RS256')),
    description      text NOT NULL DEFAULT '',
    status           text NOT NULL CHECK (status IN ('enabled', 'paused', 'disabled')),
    status_reason    text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL,
    verified_at      timestamptz,
    CHECK ((method = 'poll') = (endpoint IS NULL)),
    CHECK ((method = 'files') = (inbox IS NOT NULL))
);
COMMENT ON COLUMN stream.endpoint IS 'push: where events are pushed to; files: the folder that notices are written to';
COMMENT ON COLUMN stream.inbox IS 'files: the folder that receipts are read from';
COMMENT ON COLUMN stream."authorization" IS 'JWE of the Authorization header that pushes carry, by the key passphrase';
COMMENT ON COLUMN stream.verified_at IS 'when the last verification event was asked for';
INSERT INTO stream (id, partner_id, method, endpoint, events_requested, alg, status, created_at)
    SELECT 'st_' || replace(gen_random_uuid()::text, '-', ''), id, CASE WHEN endpoint IS NULL THEN 'poll' ELSE 'push' END, endpoint,
           events, 'ES256', 'enabled', added_at FROM partner;

CREATE TABLE stream_excluded (
    partner_id bigint NOT NULL REFERENCES partner,
    shard      integer NOT NULL,
    numbers    bytea NOT NULL,
    PRIMARY KEY (partner_id, shard)
);
COMMENT ON TABLE stream_excluded IS 'numbers that a partner took out of its stream (SSF: remove subject): no identifier-recycled of them';

-- Credentials ---------------------------------------------------------------------------------------------------------
CREATE TABLE credential (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id  bigint NOT NULL REFERENCES partner,
    kind        text NOT NULL CHECK (kind IN ('secret', 'keys')),
    secret_hash bytea,
    jwks        jsonb,
    added_by    text NOT NULL,
    added_at    timestamptz NOT NULL,
    expires_at  timestamptz,
    CHECK ((kind = 'secret') = (secret_hash IS NOT NULL) AND (kind = 'keys') = (jwks IS NOT NULL))
);
CREATE INDEX credential_by_partner ON credential (partner_id);
COMMENT ON COLUMN credential.jwks IS 'the public keys with which a partner signs its assertions (private_key_jwt)';
INSERT INTO credential (partner_id, kind, secret_hash, added_by, added_at)
    SELECT id, 'secret', secret_hash, added_by, added_at FROM partner;
ALTER TABLE partner DROP COLUMN secret_hash, DROP COLUMN endpoint, DROP COLUMN events;

CREATE TABLE used_assertion (
    partner_id bigint NOT NULL REFERENCES partner,
    jti        text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, jti)
);
COMMENT ON TABLE used_assertion IS 'assertions that were shown once (RFC 7523 section 3): none is taken twice while it lives';
CREATE INDEX used_assertion_old ON used_assertion (expires_at);

-- Signing keys: published before they sign, and for a while after --------------------------------------------------------
ALTER TABLE signing_key ADD COLUMN signs_from timestamptz, ADD COLUMN published_until timestamptz;
UPDATE signing_key SET signs_from = created_at;
ALTER TABLE signing_key ALTER COLUMN signs_from SET NOT NULL;

-- Events on their way ---------------------------------------------------------------------------------------------------
ALTER TABLE delivery
    ADD COLUMN seq     bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN event   text NOT NULL DEFAULT '',
    ADD COLUMN subject text NOT NULL DEFAULT '',
    ADD COLUMN always  boolean NOT NULL DEFAULT false;
UPDATE delivery SET event = (SELECT jsonb_object_keys(claims -> 'events') LIMIT 1),
                    subject = coalesce(claims #>> '{sub_id,id}', claims #>> '{sub_id,phone_number}', jti);
UPDATE delivery SET next_at = created_at WHERE next_at IS NULL AND delivered_at IS NULL AND attempts = 0;
ALTER TABLE delivery ALTER COLUMN event DROP DEFAULT, ALTER COLUMN subject DROP DEFAULT;
COMMENT ON COLUMN delivery.next_at IS 'open: not to be sent before this instant; NULL once it was taken, refused or given up';
COMMENT ON COLUMN delivery.subject IS 'events of one subject reach a partner in the order of seq';
COMMENT ON COLUMN delivery.always IS 'sent whatever the status of the stream: it tells of that status';
CREATE INDEX delivery_open ON delivery (partner_id, subject, seq) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_by_partner ON delivery (partner_id, seq DESC);

-- What happened at a partner, appended -------------------------------------------------------------------------------------
CREATE TABLE partner_event (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner,
    notice_id  text REFERENCES notice,
    kind       text NOT NULL,
    detail     jsonb NOT NULL,
    recorded_by text NOT NULL,
    at         timestamptz NOT NULL
);
COMMENT ON COLUMN partner_event.kind IS 'what happened: secret-rotated, stream-created, reminded, escalated, resent, ...';
CREATE INDEX partner_event_by_partner ON partner_event (partner_id, id DESC);
CREATE INDEX partner_event_by_notice ON partner_event (notice_id) WHERE notice_id IS NOT NULL;
CREATE TRIGGER partner_event_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON partner_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
