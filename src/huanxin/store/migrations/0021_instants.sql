-- The instants of a report's events, beside each set in the order of its numbers. They decide where a number is named again on
-- a day of which something is on record, so they are kept for whatever was reported with a time, and read only there. Packed
-- as they are (huanxin.numbersets.instants), they don't compress further. What was recorded before knows the day alone.
ALTER TABLE report_set ADD COLUMN instants bytea;
ALTER TABLE report_set ALTER instants SET STORAGE EXTERNAL;
COMMENT ON COLUMN report_set.instants IS 'NULL: only the day was given';
