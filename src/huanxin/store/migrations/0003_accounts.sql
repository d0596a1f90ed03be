-- Partners connect by themselves. An account is a company at the partner pages: it has a partner in the sandbox from the start,
-- and a live one once it is admitted. What an account may do follows from what happened at it (domain.accounts).
-- These tables are used in the live schema, but for spoiled_file, which is used in the sandbox.

CREATE TABLE account (
    id                text PRIMARY KEY,
    name              text NOT NULL,
    name_key          text NOT NULL UNIQUE,
    kind              text NOT NULL CHECK (kind IN ('app', 'labeler', 'sender')),
    domain            text NOT NULL,
    challenge         text NOT NULL,
    sandbox_client_id text NOT NULL UNIQUE,
    registered_at     timestamptz NOT NULL
);
COMMENT ON COLUMN account.name_key IS 'the name as it is compared: names that only look different are one name';

CREATE TABLE account_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  text NOT NULL REFERENCES account,
    kind        text NOT NULL CHECK (kind IN ('registered', 'domain-proven', 'admitted', 'live')),
    detail      jsonb NOT NULL,
    recorded_by text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX account_event_by_account ON account_event (account_id, id);

CREATE TABLE selftest_run (
    id         text PRIMARY KEY,
    seq        bigint GENERATED ALWAYS AS IDENTITY,
    account_id text NOT NULL REFERENCES account,
    endpoint   text NOT NULL,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL
);
COMMENT ON COLUMN selftest_run.endpoint IS 'the sandbox endpoint that was driven: a pass holds for this one';
CREATE INDEX selftest_run_by_account ON selftest_run (account_id, seq DESC);
CREATE TABLE selftest_step (
    run_id   text NOT NULL REFERENCES selftest_run,
    position smallint NOT NULL,
    scenario text NOT NULL,
    state    text NOT NULL CHECK (state IN ('passed', 'failed', 'warning')),
    seconds  double precision NOT NULL,
    found    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (run_id, position)
);
COMMENT ON COLUMN selftest_step.found IS '{"zh", "en", "mend"}: what was seen, and the code of how to mend it, if there is something';
CREATE TABLE selftest_end (
    run_id  text PRIMARY KEY REFERENCES selftest_run,
    outcome text NOT NULL CHECK (outcome IN ('passed', 'failed', 'interrupted')),
    at      timestamptz NOT NULL
);
COMMENT ON TABLE selftest_end IS 'a run without an end that nothing is at work on any more was interrupted too';

CREATE TABLE spoiled_file (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_id text NOT NULL REFERENCES notice,
    spoiled   boolean NOT NULL,
    at        timestamptz NOT NULL
);
COMMENT ON TABLE spoiled_file IS 'rehearsal: the number file of a notice is served broken from here on, or right again';
CREATE INDEX spoiled_file_by_notice ON spoiled_file (notice_id, id DESC);

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['account', 'account_event', 'selftest_run', 'selftest_step', 'selftest_end', 'spoiled_file']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
