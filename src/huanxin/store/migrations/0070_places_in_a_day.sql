-- Facts that came later than others of their day on record and happened before them: report and layer don't order those. Read
-- by domain.lifecycle.SetFact.order: compared as arrays, and in place of (report_id, layer) where it is given.
ALTER TABLE report_set ADD COLUMN place bigint[];
COMMENT ON COLUMN report_set.place IS 'where the set stands within its day; NULL: by report and layer';
