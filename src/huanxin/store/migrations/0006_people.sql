-- People's pages. An owner may ask who holds ties to his number before he orders anything.

ALTER TABLE request DROP CONSTRAINT request_purpose_check;
ALTER TABLE request ADD CONSTRAINT request_purpose_check CHECK (purpose IN ('renew', 'leave', 'inquire'));

CREATE TABLE development_message (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number  bigint NOT NULL,
    text    text NOT NULL,
    sent_at timestamptz NOT NULL
);
COMMENT ON TABLE development_message IS 'SMS of the console gateway, which development mode shows on /dev/sms instead of sending them; the last hundred';
