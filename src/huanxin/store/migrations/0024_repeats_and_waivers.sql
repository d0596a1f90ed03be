-- A key names one receipt of a notice. The same content may be another receipt: whoever refuses again is heard. That a key is
-- taken once is held by the lock of the notice; receipts of before may share one.
ALTER TABLE receipt DROP CONSTRAINT receipt_notice_id_sha256_complete_idempotency_key_key;
CREATE INDEX receipt_by_content ON receipt (notice_id, sha256);
CREATE INDEX receipt_by_key ON receipt (notice_id, idempotency_key) WHERE idempotency_key <> '';
ALTER TABLE request_answer ADD COLUMN idempotency_key text NOT NULL DEFAULT '';
COMMENT ON COLUMN request_answer.idempotency_key IS 'of the call that brought it; empty if it named none';

-- A waiver goes without answers that whoever proposed it could know of.
ALTER TABLE proposal ADD COLUMN seen bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN proposal.seen IS
    'waiver: the last receipt of the partner when it was proposed, in the order of answers; 0 for those of before, which waive no refusal';

-- Whoever was told of a batch after a release could not be waited for.
ALTER TABLE release ADD COLUMN asked bigint[];
COMMENT ON COLUMN release.asked IS 'the partners that had been told of the batch by then; NULL: of before, see when they were told';
