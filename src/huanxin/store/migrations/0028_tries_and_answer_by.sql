-- An event is given up by the days on which it was tried in vain, not by its age: whatever waited for a paused stream, or for
-- a partner that came back, has its days before it.
ALTER TABLE delivery
    ADD COLUMN tries      integer NOT NULL DEFAULT 0,
    ADD COLUMN tried_days integer NOT NULL DEFAULT 0,
    ADD COLUMN tried_on   date;
UPDATE delivery SET tries = attempts WHERE next_at IS NOT NULL AND attempts > 0;
COMMENT ON COLUMN delivery.attempts IS 'ever';
COMMENT ON COLUMN delivery.tries IS 'in vain, since it could be sent anew';
COMMENT ON COLUMN delivery.tried_days IS 'on how many days (UTC) these were; tried_on is the last of them';
ALTER TABLE escalation
    ADD COLUMN tried_days integer NOT NULL DEFAULT 0,
    ADD COLUMN tried_on   date;
