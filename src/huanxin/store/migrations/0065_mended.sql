-- A wrong fact is taken back by a fact. What is taken back moves from report_set, which says what stands, into report_void,
-- with the report that took it back: nothing of what was said is lost, and whoever reads report_set reads what stands.
ALTER TABLE report
    ADD COLUMN kind text NOT NULL DEFAULT 'report',
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN approved_by text NOT NULL DEFAULT '',
    ADD COLUMN withdraws bigint UNIQUE REFERENCES report,
    ADD COLUMN again_after bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN report.kind IS 'report, or what mends others: withdrawal, correction';
COMMENT ON COLUMN report.approved_by IS 'the second person; empty if one person decided';
COMMENT ON COLUMN report.again_after IS 'the withdrawal after which the same file was imported again; 0: it never was before';
ALTER TABLE report DROP CONSTRAINT report_carrier_sha256_key;
ALTER TABLE report ADD UNIQUE (carrier, sha256, again_after);

CREATE TABLE report_void (
    shard     integer NOT NULL,
    day       date NOT NULL,
    report_id bigint NOT NULL REFERENCES report,
    layer     smallint NOT NULL,
    event     smallint NOT NULL,
    carrier   text NOT NULL,
    numbers   bytea NOT NULL,
    instants  bytea,
    place     bigint[],
    voided_by bigint NOT NULL REFERENCES report,
    PRIMARY KEY (shard, day, report_id, layer, event, voided_by)
);
COMMENT ON TABLE report_void IS 'what was taken back of report_set, and by which report';
ALTER TABLE report_void ALTER numbers SET STORAGE EXTERNAL, ALTER instants SET STORAGE EXTERNAL;
CREATE INDEX report_void_by_report ON report_void (voided_by);
CREATE TRIGGER report_void_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON report_void
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A set may only shrink, and in the very transaction that keeps what it loses.
CREATE FUNCTION refuse_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM report_void v
        WHERE (v.shard, v.day, v.report_id, v.layer, v.event) = (OLD.shard, OLD.day, OLD.report_id, OLD.layer, OLD.event)
            AND v.xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296
    ) THEN
        RAISE EXCEPTION '% holds recorded facts: they are appended, never edited or deleted', TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF (NEW.shard, NEW.day, NEW.report_id, NEW.layer, NEW.event, NEW.carrier, NEW.place)
        IS DISTINCT FROM (OLD.shard, OLD.day, OLD.report_id, OLD.layer, OLD.event, OLD.carrier, OLD.place)
    THEN
        RAISE EXCEPTION '% holds recorded facts: what is left of a set keeps its name', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER report_set_is_a_fact ON report_set;
CREATE TRIGGER report_set_is_a_fact BEFORE TRUNCATE ON report_set
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_set_only_shrinks BEFORE UPDATE OR DELETE ON report_set
    FOR EACH ROW EXECUTE FUNCTION refuse_loss();

-- A retraction that a mend made: its numbers are planned again, since they are in no batch any more.
ALTER TABLE batch ADD COLUMN mended_by bigint REFERENCES report;
COMMENT ON COLUMN batch.mended_by IS 'of a retraction: the report that mended what the batch stood on; its numbers are planned again';
CREATE INDEX batch_mended ON batch (retracts) WHERE mended_by IS NOT NULL;
