-- What mends reports is proposed by one person too, and carried out when another approves it.
ALTER TABLE proposal
    ALTER COLUMN batch_id DROP NOT NULL,
    ADD COLUMN carrier text,
    ADD COLUMN report_id bigint REFERENCES report,
    ADD COLUMN file_name text,
    ADD COLUMN content bytea,
    ADD COLUMN shown jsonb,
    DROP CONSTRAINT proposal_kind_check,
    ADD CHECK (kind IN ('waiver', 'release', 'withdrawal', 'correction')),
    ADD CHECK ((kind IN ('waiver', 'release')) = (batch_id IS NOT NULL)),
    ADD CHECK ((kind IN ('withdrawal', 'correction')) = (carrier IS NOT NULL)),
    ADD CHECK ((kind = 'withdrawal') = (report_id IS NOT NULL)),
    ADD CHECK ((kind = 'correction') = (content IS NOT NULL));
ALTER TABLE proposal ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON COLUMN proposal.content IS 'correction: the file as it was sent, in gzip';
COMMENT ON COLUMN proposal.shown IS 'withdrawal, correction: what it would have done when it was proposed, in numbers';
