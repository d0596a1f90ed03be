-- One number's breaches are looked up by its shard.
CREATE INDEX breach_set_by_shard ON breach_set (shard);

-- Which batches a report touches, so that only their figures are counted again. No fact: what is dropped is looked for again.
CREATE TABLE report_touch (
    report_id bigint PRIMARY KEY REFERENCES report,
    batches   bigint[] NOT NULL
);
COMMENT ON TABLE report_touch IS 'batches planned before a report that says of some of their numbers that they left the freeze';
