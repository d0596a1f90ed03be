-- What stops the sale of numbers that stand on a release list already: a list can't be called back, so it is said loudly.
CREATE TABLE stop (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hold_id       bigint REFERENCES hold,
    retraction_id bigint REFERENCES batch,
    receipt_id    text REFERENCES receipt,
    release_id    bigint NOT NULL REFERENCES release,
    carrier       text NOT NULL,
    count         bigint NOT NULL CHECK (count > 0),
    stopped_at    timestamptz NOT NULL,
    CHECK (num_nonnulls(hold_id, retraction_id, receipt_id) = 1)
);
COMMENT ON TABLE stop IS
    'a hold, a retraction or a refusal that came after a release: how many numbers of its list nobody had bought by then';
CREATE INDEX stop_by_hold ON stop (hold_id);
CREATE INDEX stop_by_release ON stop (release_id);
CREATE TRIGGER stop_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON stop
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
