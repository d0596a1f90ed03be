-- An order goes on with its tenure when the day on which that began is corrected; one that went by a day too late is taken back.

ALTER TABLE request DROP CONSTRAINT request_purpose_check;
ALTER TABLE request ADD CONSTRAINT request_purpose_check CHECK (purpose IN ('renew', 'leave', 'inquire', 'retract'));
ALTER TABLE request ADD COLUMN retracts text REFERENCES request;
COMMENT ON COLUMN request.retracts IS 'the order that is taken back by this request, since it went by a wrong day';
CREATE UNIQUE INDEX request_retracts ON request (retracts) WHERE retracts IS NOT NULL;

CREATE TABLE request_mend (
    request_id text NOT NULL REFERENCES request,
    report_id  bigint NOT NULL REFERENCES report,
    opened_on  date,
    of_day     integer NOT NULL,
    PRIMARY KEY (request_id, report_id)
);
COMMENT ON TABLE request_mend IS 'the tenure of an order as a report that mended others names it: the day on which it began, and which of that day''s it is';
CREATE TRIGGER request_mend_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON request_mend
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE VIEW request_now AS
SELECT r.id, r.seq, r.purpose, r.number, r.carrier, r.tenures, r.cutoff, r.answer_by, r.channel, r.language, r.consent_text,
    r.requested_at, r.retracts,
    CASE WHEN m.request_id IS NULL THEN r.opened_on ELSE m.opened_on END AS opened_on,
    CASE WHEN m.request_id IS NULL THEN r.of_day ELSE m.of_day END AS of_day
FROM request r
LEFT JOIN LATERAL (
    SELECT request_id, opened_on, of_day
    FROM request_mend
    WHERE request_id = r.id
    ORDER BY report_id DESC
    LIMIT 1
) m ON true;
COMMENT ON VIEW request_now IS 'requests, each with its tenure as reports name it now';
