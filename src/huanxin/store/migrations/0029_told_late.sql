-- A partner's time begins when it is told: one that is told of a batch after the others has as many days as they had.
ALTER TABLE notice ADD COLUMN answer_by timestamptz;
COMMENT ON COLUMN notice.answer_by IS 'until when this partner answers; NULL: as the batch says (told before this was kept)';
