-- The freeze may be lengthened while a batch waits: a release keeps the one that bound when it was decided.
ALTER TABLE release ADD COLUMN freeze_days integer;
COMMENT ON COLUMN release.freeze_days IS 'days of the freeze that had to have ended; NULL: of before, those of its batch';
