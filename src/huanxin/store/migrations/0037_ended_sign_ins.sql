-- Sign-ins that somebody ended before they were over: a cookie that was copied is worth nothing from then on.
CREATE TABLE ended_sign_in (
    sign_in_sha256 bytea PRIMARY KEY,
    until          timestamptz NOT NULL
);
COMMENT ON TABLE ended_sign_in IS 'no fact: forgotten once the sign-in would be over anyway';
COMMENT ON COLUMN ended_sign_in.sign_in_sha256 IS 'of the random identifier in the cookie';
CREATE INDEX ended_sign_in_by_until ON ended_sign_in (until);
