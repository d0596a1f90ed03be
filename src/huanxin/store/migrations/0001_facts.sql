-- Facts are appended, never edited (rule 6); state is derived from them. Sets of numbers are Roaring bitmaps in bytea,
-- cut into shards of a million numbers; within a batch a set holds places. Bitmaps don't compress further, so they
-- are stored as they are where PostgreSQL would try.

-- 1 report ------------------------------------------------------------------------------------------------------------
CREATE TABLE report (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier     text NOT NULL,
    file_name   text NOT NULL,
    sha256      bytea NOT NULL,
    lines       bigint NOT NULL,
    accepted    bigint NOT NULL,
    known       bigint NOT NULL,
    rejected    bigint NOT NULL,
    counts      jsonb NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (carrier, sha256)
);

CREATE TABLE report_set (
    shard     integer NOT NULL,
    day       date NOT NULL,
    report_id bigint NOT NULL REFERENCES report,
    layer     smallint NOT NULL,
    event     smallint NOT NULL,
    carrier   text NOT NULL,
    numbers   bytea NOT NULL,
    PRIMARY KEY (shard, day, report_id, layer, event)
);
CREATE INDEX report_set_by_report ON report_set (report_id);

-- 2 plan --------------------------------------------------------------------------------------------------------------
CREATE TABLE hold (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    text NOT NULL,
    reason    text NOT NULL,
    until_day date NOT NULL,
    review_on date,
    count     bigint NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL
);
CREATE TABLE hold_set (
    hold_id bigint NOT NULL REFERENCES hold,
    shard   integer NOT NULL,
    numbers bytea NOT NULL,
    PRIMARY KEY (hold_id, shard)
);
CREATE TABLE hold_lift (
    hold_id   bigint PRIMARY KEY REFERENCES hold,
    reason    text NOT NULL,
    lifted_by text NOT NULL,
    lifted_at timestamptz NOT NULL
);

CREATE TABLE batch (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose     text NOT NULL CHECK (purpose IN ('renewal', 'retraction')),
    retracts    bigint REFERENCES batch,
    count       bigint NOT NULL,
    cutoff      timestamptz NOT NULL,
    answer_by   timestamptz NOT NULL,
    freeze_days integer NOT NULL,
    seen_report bigint NOT NULL,
    files       jsonb NOT NULL,
    planned_by  text NOT NULL,
    planned_at  timestamptz NOT NULL,
    CHECK ((purpose = 'retraction') = (retracts IS NOT NULL))
);
COMMENT ON COLUMN batch.seen_report IS 'the last report that the plan knew: only later ones can change what it says';
COMMENT ON COLUMN batch.files IS 'media type -> {sha256, bytes} of the number file';
CREATE TABLE batch_set (
    batch_id bigint NOT NULL REFERENCES batch,
    shard    integer NOT NULL,
    first    integer NOT NULL,
    numbers  bytea NOT NULL,
    PRIMARY KEY (batch_id, shard)
);
COMMENT ON COLUMN batch_set.first IS 'the place of the shard''s first number';
CREATE INDEX batch_set_by_shard ON batch_set (shard);
CREATE TABLE batch_span (
    batch_id  bigint NOT NULL REFERENCES batch,
    carrier   text NOT NULL,
    closed_on date NOT NULL,
    places    bytea NOT NULL,
    PRIMARY KEY (batch_id, carrier, closed_on)
);

-- 3 notify ------------------------------------------------------------------------------------------------------------
CREATE TABLE partner (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    kind        text NOT NULL CHECK (kind IN ('app', 'labeler', 'sender')),
    required    boolean NOT NULL,
    client_id   text NOT NULL UNIQUE,
    secret_hash bytea NOT NULL,
    scopes      text[] NOT NULL,
    endpoint    text,
    events      text[] NOT NULL,
    added_by    text NOT NULL,
    added_at    timestamptz NOT NULL
);
CREATE TABLE signing_key (
    kid        text PRIMARY KEY,
    alg        text NOT NULL,
    pem        bytea NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON COLUMN signing_key.pem IS 'PKCS 8, encrypted with the key passphrase of the settings';
CREATE TABLE notice (
    id         text PRIMARY KEY,
    batch_id   bigint NOT NULL REFERENCES batch,
    partner_id bigint NOT NULL REFERENCES partner,
    required   boolean NOT NULL,
    sent_at    timestamptz NOT NULL,
    UNIQUE (batch_id, partner_id)
);
CREATE TABLE delivery (
    jti          text PRIMARY KEY,
    partner_id   bigint NOT NULL REFERENCES partner,
    notice_id    text REFERENCES notice,
    claims       jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz,
    delivered_at timestamptz
);
COMMENT ON COLUMN delivery.next_at IS 'when to push it (again); NULL once it is delivered or given up';
CREATE INDEX delivery_due ON delivery (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX delivery_by_notice ON delivery (notice_id);
CREATE TABLE delivery_attempt (
    jti    text NOT NULL REFERENCES delivery,
    at     timestamptz NOT NULL,
    status integer,
    answer text NOT NULL
);
CREATE INDEX delivery_attempt_by_jti ON delivery_attempt (jti);
CREATE TABLE recycled_feed (
    report_id  bigint NOT NULL REFERENCES report,
    partner_id bigint NOT NULL REFERENCES partner,
    shard      integer NOT NULL,
    day        date NOT NULL,
    numbers    bytea NOT NULL,
    total      integer NOT NULL,
    done       integer NOT NULL DEFAULT 0,
    attempts   integer NOT NULL DEFAULT 0,
    next_at    timestamptz,
    PRIMARY KEY (report_id, partner_id, day, shard)
);
COMMENT ON TABLE recycled_feed IS 'numbers opened anew of which a partner is told one by one: a cursor, not a row per number';
CREATE INDEX recycled_feed_due ON recycled_feed (next_at) WHERE next_at IS NOT NULL;

-- 4 answer ------------------------------------------------------------------------------------------------------------
CREATE SEQUENCE answer_order;
CREATE TABLE receipt (
    id              text PRIMARY KEY,
    seq             bigint NOT NULL UNIQUE DEFAULT nextval('answer_order'),
    notice_id       text NOT NULL REFERENCES notice,
    batch_id        bigint NOT NULL REFERENCES batch,
    partner_id      bigint NOT NULL REFERENCES partner,
    sha256          bytea NOT NULL,
    complete        boolean NOT NULL,
    idempotency_key text NOT NULL,
    lines           bigint NOT NULL,
    counts          jsonb NOT NULL,
    received_at     timestamptz NOT NULL,
    UNIQUE (notice_id, sha256, complete, idempotency_key)
);
CREATE INDEX receipt_by_batch ON receipt (batch_id);
CREATE TABLE receipt_set (
    receipt_id text NOT NULL REFERENCES receipt,
    outcome    text NOT NULL,
    reason     text NOT NULL,
    until_day  date,
    places     bytea NOT NULL
);
CREATE INDEX receipt_set_by_receipt ON receipt_set (receipt_id);

-- 5 waivers, 6 release ------------------------------------------------------------------------------------------------
CREATE TABLE waiver (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq        bigint NOT NULL UNIQUE DEFAULT nextval('answer_order'),
    batch_id   bigint NOT NULL REFERENCES batch,
    partner_id bigint NOT NULL REFERENCES partner,
    reason     text NOT NULL,
    count      bigint NOT NULL,
    places     bytea NOT NULL,
    waived_by  text NOT NULL,
    waived_at  timestamptz NOT NULL
);
CREATE INDEX waiver_by_batch ON waiver (batch_id);
CREATE TABLE release (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id    bigint NOT NULL REFERENCES batch,
    count       bigint NOT NULL,
    released_by text NOT NULL,
    released_at timestamptz NOT NULL
);
CREATE TABLE release_set (
    release_id bigint NOT NULL REFERENCES release,
    carrier    text NOT NULL,
    closed_on  date NOT NULL,
    places     bytea NOT NULL,
    PRIMARY KEY (release_id, carrier, closed_on)
);
CREATE TABLE breach (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,
    batch_id   bigint NOT NULL REFERENCES batch,
    partner_id bigint REFERENCES partner,
    receipt_id text REFERENCES receipt,
    count      bigint NOT NULL,
    places     bytea NOT NULL,
    found_at   timestamptz NOT NULL
);

-- Rule 6 in the database itself: a fact can't be edited or taken back.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% holds recorded facts: they are appended, never edited or deleted', TG_TABLE_NAME;
END $$;
DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['report', 'report_set', 'hold', 'hold_set', 'hold_lift', 'batch', 'batch_set',
        'batch_span', 'notice', 'delivery_attempt', 'receipt', 'receipt_set', 'waiver', 'release', 'release_set', 'breach']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
