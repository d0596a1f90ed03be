-- What each carrier's systems were told of the numbers that it may sell: what is on sale, and each change of it, in the order in
-- which it can be read. Changes are numbered and committed one after the other, so whoever asks from the last one misses none.
CREATE TABLE inventory (
    batch_id bigint NOT NULL REFERENCES batch,
    carrier  text NOT NULL,
    places   bytea NOT NULL,
    stamp    text NOT NULL,
    PRIMARY KEY (batch_id, carrier)
);
COMMENT ON TABLE inventory IS 'what of a batch a carrier may sell, after all of its changes; stamp: of the facts for which that was looked at last';
ALTER TABLE inventory ALTER COLUMN places SET STORAGE EXTERNAL;
CREATE INDEX inventory_by_carrier ON inventory (carrier, batch_id);
CREATE TABLE inventory_change (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    carrier  text NOT NULL,
    batch_id bigint NOT NULL REFERENCES batch,
    why      text NOT NULL,
    count    bigint NOT NULL CHECK (count > 0),
    places   bytea NOT NULL,
    noted_at timestamptz NOT NULL,
    mark     text NOT NULL DEFAULT substr(md5(random()::text), 1, 8)
);
COMMENT ON COLUMN inventory_change.why IS 'empty: these may be sold now; else why they may not any more, in the words of the desk';
COMMENT ON COLUMN inventory_change.mark IS 'by which a place in the order is known again: after a restored backup another change may have its number';
ALTER TABLE inventory_change ALTER COLUMN places SET STORAGE EXTERNAL;
CREATE INDEX inventory_change_by_carrier ON inventory_change (carrier, id);
CREATE TRIGGER inventory_change_is_told BEFORE UPDATE OR DELETE OR TRUNCATE ON inventory_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
