-- A waiver can be withdrawn: what it covered is waited for again. What was released by it stays released, and is said loudly.
CREATE TABLE waiver_withdrawal (
    waiver_id    bigint PRIMARY KEY REFERENCES waiver,
    reason       text NOT NULL,
    withdrawn_by text NOT NULL,
    withdrawn_at timestamptz NOT NULL
);
CREATE TRIGGER waiver_withdrawal_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON waiver_withdrawal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE stop ADD COLUMN waiver_id bigint REFERENCES waiver;
ALTER TABLE stop DROP CONSTRAINT stop_check;
ALTER TABLE stop ADD CONSTRAINT stop_is_by_one_thing CHECK (num_nonnulls(hold_id, retraction_id, receipt_id, waiver_id) = 1);
COMMENT ON TABLE stop IS
    'a hold, a retraction, a refusal or a withdrawn waiver after a release: how many numbers of its list nobody had bought by then';
