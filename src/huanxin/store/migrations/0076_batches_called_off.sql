-- A batch that was planned and not sent can be called off: its numbers are due again, as if it had never been.
CREATE TABLE batch_call_off (
    batch_id      bigint PRIMARY KEY REFERENCES batch,
    reason        text NOT NULL,
    called_off_by text NOT NULL,
    called_off_at timestamptz NOT NULL
);
COMMENT ON TABLE batch_call_off IS 'nobody was told of this batch, and nobody will be: it holds no number any more';
CREATE TRIGGER batch_call_off_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON batch_call_off
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
