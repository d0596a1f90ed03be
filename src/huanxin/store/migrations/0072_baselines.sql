-- The present state of a carrier's numbers, taken before its first reports: facts of their own kind, in report_set like others.
-- Numbers of which it says that they were never sold stand in no report_set, since nothing has happened to them.
COMMENT ON COLUMN report.kind IS 'report, baseline, or what mends others: withdrawal, correction';

CREATE TABLE unsold_set (
    report_id bigint NOT NULL REFERENCES report,
    shard     integer NOT NULL,
    numbers   bytea NOT NULL,
    PRIMARY KEY (report_id, shard)
);
ALTER TABLE unsold_set ALTER numbers SET STORAGE EXTERNAL;
CREATE INDEX unsold_set_by_shard ON unsold_set (shard);
CREATE TRIGGER unsold_set_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON unsold_set
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
