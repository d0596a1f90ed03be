-- A hold is lifted for some of its numbers and goes on for the others; what frees something is proposed and approved: a lift, and
-- that a partner's answers are not required any more.

ALTER TABLE hold ADD COLUMN replaces bigint REFERENCES hold;
COMMENT ON COLUMN hold.replaces IS 'the hold that was lifted for some of its numbers, and goes on here for the others';
CREATE UNIQUE INDEX hold_replaces ON hold (replaces) WHERE replaces IS NOT NULL;

DO $$
DECLARE old text;
BEGIN
    FOR old IN SELECT conname FROM pg_constraint WHERE conrelid = 'proposal'::regclass AND contype = 'c'
    LOOP
        EXECUTE format('ALTER TABLE proposal DROP CONSTRAINT %I', old);
    END LOOP;
END $$;
ALTER TABLE proposal
    ADD COLUMN hold_id bigint REFERENCES hold,
    ADD CONSTRAINT proposal_kind CHECK (kind IN ('waiver', 'release', 'withdrawal', 'correction', 'lift', 'optional')),
    ADD CONSTRAINT proposal_batch CHECK ((kind IN ('waiver', 'release')) = (batch_id IS NOT NULL)),
    ADD CONSTRAINT proposal_partner CHECK ((kind IN ('waiver', 'optional')) = (partner_id IS NOT NULL)),
    ADD CONSTRAINT proposal_places CHECK ((kind = 'waiver') = (places IS NOT NULL)),
    ADD CONSTRAINT proposal_carrier CHECK ((kind IN ('withdrawal', 'correction')) = (carrier IS NOT NULL)),
    ADD CONSTRAINT proposal_report CHECK ((kind = 'withdrawal') = (report_id IS NOT NULL)),
    ADD CONSTRAINT proposal_hold CHECK ((kind = 'lift') = (hold_id IS NOT NULL)),
    ADD CONSTRAINT proposal_content CHECK (CASE kind WHEN 'correction' THEN content IS NOT NULL WHEN 'lift' THEN true
        ELSE content IS NULL END);
COMMENT ON COLUMN proposal.content IS 'correction: the file as it was sent, in gzip; lift: the numbers, if not all, of 64 bits each, in gzip';
