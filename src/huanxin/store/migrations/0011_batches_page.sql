-- An authority's order has a number of its own, beside its source. Orders of before have none.
ALTER TABLE hold ADD COLUMN order_number text NOT NULL DEFAULT '';
-- One number's holds are looked up by its shard.
CREATE INDEX hold_set_by_shard ON hold_set (shard);
-- The releases and breaches of a batch stand on its page.
CREATE INDEX release_by_batch ON release (batch_id);
CREATE INDEX breach_by_batch ON breach (batch_id);
CREATE INDEX batch_by_retracts ON batch (retracts) WHERE retracts IS NOT NULL;
