-- The pool: what a carrier was allotted and which reports were uploaded are facts; counts of the pool are not, and can be made
-- again from the facts at any time (drop the rows of pool_cells, pool_left and pool_seen).
CREATE TABLE allocation (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier     text NOT NULL,
    file_name   text NOT NULL,
    count       bigint NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE allocation IS 'all that a carrier was allotted; its latest one holds';
CREATE TABLE allocation_range (
    allocation_id bigint NOT NULL REFERENCES allocation,
    first         bigint NOT NULL,
    last          bigint NOT NULL CHECK (last >= first),
    PRIMARY KEY (allocation_id, first)
);

CREATE TABLE report_upload (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier     text NOT NULL,
    file_name   text NOT NULL,
    report_id   bigint REFERENCES report,
    already     boolean NOT NULL,
    refusal     text NOT NULL,
    bad_lines   bigint NOT NULL,
    shown       jsonb NOT NULL,
    rejects     bytea,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK ((report_id IS NULL) = (refusal <> ''))
);
COMMENT ON COLUMN report_upload.report_id IS 'the report that it became, or had been before; NULL: refused whole';
COMMENT ON COLUMN report_upload.shown IS 'the first bad lines: {line, reason, text}, numbers masked';
COMMENT ON COLUMN report_upload.rejects IS 'every bad line as CSV, gzip';
CREATE INDEX report_upload_by_report ON report_upload (report_id);

CREATE TABLE pool_cells (
    shard    integer NOT NULL,
    batch_id bigint NOT NULL,
    cells    bytea NOT NULL,
    PRIMARY KEY (shard, batch_id)
);
COMMENT ON TABLE pool_cells IS 'counts by block of 10,000 numbers, kind and day of cancellation (domain/cells.py); batch_id 0: what reports say';
CREATE INDEX pool_cells_by_batch ON pool_cells (batch_id);
CREATE TABLE pool_left (
    batch_id bigint NOT NULL,
    shard    integer NOT NULL,
    numbers  bytea NOT NULL,
    PRIMARY KEY (batch_id, shard)
);
COMMENT ON TABLE pool_left IS 'numbers that left the freeze of a batch since it was planned';
CREATE TABLE pool_seen (
    what  text NOT NULL CHECK (what IN ('report', 'hold', 'batch')),
    id    bigint NOT NULL,
    stamp text NOT NULL,
    PRIMARY KEY (what, id)
);
COMMENT ON TABLE pool_seen IS 'which facts pool_cells count: reports, holds that bound, batches with the stamp of their facts';

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['allocation', 'allocation_range', 'report_upload']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
