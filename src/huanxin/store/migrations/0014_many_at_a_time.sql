-- Events are claimed a partner at a time, and what waits for one must not slow down the others.

DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (partner_id, next_at, seq) WHERE next_at IS NOT NULL;
