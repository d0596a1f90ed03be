-- What decides is judged by one clock, the database's. What was last seen of it stands here, so that a jump is noticed.
CREATE TABLE clock (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    simulated boolean NOT NULL
);
COMMENT ON COLUMN clock.simulated IS 'whether a process may come with a clock of its own: said when the database is made, never after';
CREATE TABLE clock_seen (
    boot    text PRIMARY KEY,
    at      timestamptz NOT NULL,
    elapsed double precision NOT NULL
);
COMMENT ON TABLE clock_seen IS 'no fact: the last time that was not in doubt, by the boot of the machine that saw it';
COMMENT ON COLUMN clock_seen.elapsed IS 'seconds since that boot; nobody can set them';
CREATE TABLE clock_confirmation (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    expected     timestamptz NOT NULL,
    reason       text NOT NULL,
    confirmed_by text NOT NULL
);
COMMENT ON TABLE clock_confirmation IS 'people who said that the clock is right (at) though it should have been another time (expected)';
CREATE TRIGGER clock_confirmation_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON clock_confirmation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT clock_timestamp()';
INSERT INTO clock (simulated) VALUES (false);
INSERT INTO clock_seen (boot, at, elapsed) VALUES ('', clock_now(), 0);
