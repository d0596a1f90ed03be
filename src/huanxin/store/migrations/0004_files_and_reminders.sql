-- Things that one worker at a time does again and again --------------------------------------------------------------------
CREATE TABLE recurring (
    name     text PRIMARY KEY,
    next_at  timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE recurring IS 'whoever holds a row''s lock does the thing; failures in a row make the wait longer';

-- Reminders: each step of a notice is decided once ------------------------------------------------------------------------
CREATE TABLE notice_step (
    notice_id  text NOT NULL REFERENCES notice,
    step       text NOT NULL,
    still_open boolean NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (notice_id, step)
);
COMMENT ON COLUMN notice_step.step IS 'working days that were left, or overdue';
CREATE TRIGGER notice_step_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON notice_step
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE escalation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id     bigint NOT NULL REFERENCES batch,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz,
    delivered_at timestamptz,
    answer       text NOT NULL DEFAULT ''
);
COMMENT ON TABLE escalation IS 'what the operator''s webhook is told of partners that are late, until it has taken it';
CREATE INDEX escalation_due ON escalation (next_at) WHERE next_at IS NOT NULL;

-- Retractions that an operator ordered -------------------------------------------------------------------------------------
ALTER TABLE batch ADD COLUMN reason text NOT NULL DEFAULT '';
COMMENT ON COLUMN batch.reason IS 'of a retraction that an operator ordered; empty if the carrier''s reports made it';
CREATE INDEX batch_by_retracted ON batch (retracts) WHERE retracts IS NOT NULL;
