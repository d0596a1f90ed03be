-- A batch names the cancellations that it stands on: a number that is cancelled again, be it on the same day, is in no batch yet.
-- What was planned before stands on the last cancellation by that carrier and day that the batch knew (huanxin.store.batches).
ALTER TABLE batch_span ADD COLUMN report_id bigint NOT NULL DEFAULT 0, ADD COLUMN layer smallint NOT NULL DEFAULT 0;
ALTER TABLE batch_span DROP CONSTRAINT batch_span_pkey;
ALTER TABLE batch_span ADD PRIMARY KEY (batch_id, carrier, closed_on, report_id, layer);
CREATE INDEX batch_span_by_day ON batch_span (closed_on);
COMMENT ON COLUMN batch_span.report_id IS 'the report that said so, and in which layer; 0: not named, in a batch planned earlier';
