-- Reports that were uploaded in the console and looked at, and wait for the word of whoever uploaded them. They are no facts: they
-- are gone once they were taken, or after some hours.
CREATE TABLE report_waiting (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES operator,
    carrier     text NOT NULL,
    file_name   text NOT NULL,
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    skip_bad    boolean NOT NULL,
    checked     jsonb NOT NULL,
    stored      bigint NOT NULL DEFAULT 0,
    uploaded_at timestamptz NOT NULL
);
COMMENT ON COLUMN report_waiting.checked IS 'what would come of it, as it was shown';
COMMENT ON COLUMN report_waiting.stored IS 'bytes that it takes here';
ALTER TABLE report_upload ADD COLUMN checked jsonb;
COMMENT ON COLUMN report_upload.checked IS 'how it was understood; NULL of one that could not be read at all, and of older ones';
CREATE TABLE report_waiting_piece (
    waiting_id bigint NOT NULL REFERENCES report_waiting ON DELETE CASCADE,
    place      integer NOT NULL,
    content    bytea NOT NULL,
    PRIMARY KEY (waiting_id, place)
);
COMMENT ON COLUMN report_waiting_piece.content IS 'a piece of the file, zstd';
ALTER TABLE report_waiting_piece ALTER COLUMN content SET STORAGE EXTERNAL;
