-- Wrong tries at logins that nobody signs in with are counted like those of people, or the lock would tell who there is.
CREATE TABLE unknown_login (
    login_sha256 bytea PRIMARY KEY,
    failures     integer NOT NULL,
    locked_until timestamptz,
    tried_at     timestamptz NOT NULL
);
COMMENT ON TABLE unknown_login IS 'no fact: tries older than 30 days are dropped; the hash, since people type passwords here';
CREATE INDEX unknown_login_by_age ON unknown_login (tried_at);
