-- One number's breaches are looked up by its shard.
CREATE INDEX breach_set_by_shard ON breach_set (shard);

-- Which batches a report touches, so that only their figures are counted again. No fact: what is dropped is looked for again.
CREATE TABLE report_touch (
    report_id bigint PRIMARY KEY REFERENCES report,
    batches   bigint[] NOT NULL
);
COMMENT ON TABLE report_touch IS 'batches planned before a report that says of some of their numbers that they left the freeze';

-- A refusal is said in the language of whoever reads it: what it was made of is kept beside the plain text. Refusals of before
-- have the plain text only.
ALTER TABLE report_upload ADD COLUMN refusal_said jsonb;
COMMENT ON COLUMN report_upload.refusal_said IS 'the refusal as {template, values}; reasons in `shown` may be such too';

-- Held numbers are counted with the day on which the hold lets them go: count what holds say anew.
DELETE FROM pool_seen WHERE what IN ('hold', 'batch');

-- Batches that somebody at the console wants planned: a worker does it, since that reads every report there is.
CREATE TABLE planning (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier    text,
    ordered_by text NOT NULL,
    ordered_at timestamptz NOT NULL
);
COMMENT ON COLUMN planning.carrier IS 'whose numbers; NULL: of all carriers';
CREATE TABLE planning_end (
    planning_id bigint PRIMARY KEY REFERENCES planning,
    batch_id    bigint REFERENCES batch,
    ended_at    timestamptz NOT NULL
);
COMMENT ON COLUMN planning_end.batch_id IS 'NULL: nothing was due';

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['planning', 'planning_end']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
