-- An order belongs to a tenure, comes to an end for its owner whatever partners do, and may be called off before it is sent.

ALTER TABLE request ADD COLUMN tenures integer;
COMMENT ON COLUMN request.tenures IS 'how many tenures of the number were on record, the one of whoever ordered included: two may begin on one day; NULL: ordered before this was kept';

CREATE TABLE request_call_off (
    notice_id     text PRIMARY KEY REFERENCES request_notice,
    called_off_at timestamptz NOT NULL
);
COMMENT ON TABLE request_call_off IS 'notices that their owner called off before the partner was told';
CREATE TRIGGER request_call_off_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON request_call_off
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A row from the beginning, so that somebody looks at an order whose partners say nothing.
ALTER TABLE request_done RENAME TO request_news;
ALTER TABLE request_news ALTER COLUMN done_at DROP NOT NULL;
COMMENT ON TABLE request_news IS 'when each request was done for its owner, and the message that says so';
COMMENT ON COLUMN request_news.next_at IS 'when it is looked at again: whether it has ended, or, once done, to tell the owner; NULL: nothing is left to do';
CREATE INDEX request_news_open ON request_news (request_id) WHERE done_at IS NULL;

-- Nobody is told now of what he waited for a month ago; his page says how it ended.
INSERT INTO request_news (request_id, done_at, next_at)
SELECT r.id, CASE WHEN r.answer_by < newest.at THEN r.answer_by END, CASE WHEN r.answer_by < newest.at THEN NULL ELSE r.answer_by END
FROM request r, (SELECT max(requested_at) - interval '30 days' AS at FROM request) newest
WHERE r.purpose <> 'inquire' AND NOT EXISTS (SELECT 1 FROM request_news n WHERE n.request_id = r.id);
