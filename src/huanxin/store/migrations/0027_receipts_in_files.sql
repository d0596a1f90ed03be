-- A part never passes for the whole: receipts that come as files are taken in the order of their numbers, and a `complete`
-- makes no number absent that a refused receipt named.
CREATE TABLE receipt_file (
    notice_id  text NOT NULL,
    number     integer NOT NULL CHECK (number > 0),
    replaces   integer[] NOT NULL DEFAULT '{}',
    sha256     text,
    receipt_id text,
    problem    jsonb,
    dealt_at   timestamptz NOT NULL,
    PRIMARY KEY (notice_id, number),
    CHECK ((receipt_id IS NULL) <> (problem IS NULL))
);
COMMENT ON TABLE receipt_file IS 'what became of each numbered receipt that a partner left in its folder: taken, or refused';
COMMENT ON COLUMN receipt_file.notice_id IS 'of a notice of a batch, or of an owner''s order; so is receipt_id';
COMMENT ON COLUMN receipt_file.replaces IS 'the numbers that were not taken and in whose place this one stands';
COMMENT ON COLUMN receipt_file.sha256 IS 'of the receipt, as its manifest said; NULL if that could not be read';
CREATE TRIGGER receipt_file_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_file
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was taken from folders so far. Numbers below the last one that was taken were refused and sent again, or never used.
WITH taken AS (
    SELECT DISTINCT ON (r.notice_id, r.idempotency_key::integer) r.notice_id, r.idempotency_key::integer AS number,
           encode(r.sha256, 'hex') AS sha256, r.id, r.received_at
    FROM receipt r JOIN stream s ON s.partner_id = r.partner_id AND s.method = 'files'
    WHERE r.idempotency_key ~ '^0*[1-9][0-9]{0,8}$' ORDER BY r.notice_id, r.idempotency_key::integer, r.seq DESC
), last AS (SELECT notice_id, max(number) AS number FROM taken GROUP BY notice_id)
INSERT INTO receipt_file (notice_id, number, replaces, sha256, receipt_id, dealt_at)
    SELECT t.notice_id, t.number,
           CASE WHEN t.number = l.number THEN ARRAY(SELECT n FROM generate_series(1, least(l.number, 10000)) n WHERE n < l.number
               AND NOT EXISTS (SELECT 1 FROM taken o WHERE o.notice_id = t.notice_id AND o.number = n)) ELSE '{}' END,
           t.sha256, t.id, t.received_at
    FROM taken t JOIN last l ON l.notice_id = t.notice_id;

CREATE TABLE receipt_refusal (
    notice_id  text NOT NULL REFERENCES notice,
    refused_at timestamptz NOT NULL,
    places     bytea NOT NULL
);
COMMENT ON TABLE receipt_refusal IS 'numbers that a partner named in receipts that were refused: it said something of them';
CREATE INDEX receipt_refusal_by_notice ON receipt_refusal (notice_id);
CREATE TRIGGER receipt_refusal_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_refusal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
