-- One number's breaches are looked up by its shard.
CREATE INDEX breach_set_by_shard ON breach_set (shard);
