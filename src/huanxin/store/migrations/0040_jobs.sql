-- What a worker does at an instant, once or again and again: one kind of row for all of it, in place of four.
CREATE TABLE job (
    kind       text NOT NULL,
    key        text NOT NULL DEFAULT '',
    next_at    timestamptz NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    tried_days integer NOT NULL DEFAULT 0,
    tried_on   date,
    PRIMARY KEY (kind, key)
);
COMMENT ON TABLE job IS 'whoever holds a row''s lock does it; it goes with the row, or is due again at next_at';
COMMENT ON COLUMN job.key IS 'what it is done to: a stream, an order, a wish; empty where there is one of the kind';
COMMENT ON COLUMN job.tries IS 'in vain, in a row; tried_days: on how many days (UTC), tried_on is the last of them';
CREATE INDEX job_due ON job (kind, next_at);

INSERT INTO job (kind, key, next_at, tries)
SELECT 'folder', substring(name FROM '^inbox of stream (.+)$'), next_at, failures FROM recurring WHERE name LIKE 'inbox of stream %';
INSERT INTO job (kind, next_at, tries)
SELECT name, next_at, failures FROM recurring WHERE name IN ('reminders', 'summaries');
INSERT INTO job (kind, key, next_at, tries, tried_days, tried_on)
SELECT 'escalation', id, next_at, attempts, tried_days, tried_on FROM escalation WHERE next_at IS NOT NULL;
INSERT INTO job (kind, key, next_at)
SELECT 'planning', p.id, p.ordered_at FROM planning p WHERE NOT EXISTS (SELECT 1 FROM planning_end e WHERE e.planning_id = p.id);
INSERT INTO job (kind, key, next_at, tries)
SELECT 'news', request_id, next_at, attempts FROM request_news WHERE next_at IS NOT NULL;

DROP TABLE recurring;
ALTER TABLE escalation DROP COLUMN next_at, DROP COLUMN attempts, DROP COLUMN tried_days, DROP COLUMN tried_on;
ALTER TABLE request_news DROP COLUMN next_at, DROP COLUMN attempts;
COMMENT ON TABLE request_news IS 'when each request was done for its owner, and when they were told so; a job of kind news looks after it';
