-- Operators: who works at the console. Who they are and what they did are facts; how they sign in changes.
CREATE TABLE operator (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login    text NOT NULL UNIQUE,
    name     text NOT NULL,
    carrier  text,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL
);
COMMENT ON COLUMN operator.carrier IS 'whose numbers this person works with; NULL for all carriers';
CREATE TABLE operator_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES operator,
    kind        text NOT NULL,
    detail      jsonb NOT NULL,
    recorded_by text NOT NULL,
    at          timestamptz NOT NULL
);
COMMENT ON COLUMN operator_event.kind IS 'roles, disabled, enabled, password-set, totp-set, totp-removed, signed-in, locked-out, unmasked, ...';
CREATE INDEX operator_event_by_operator ON operator_event (operator_id, kind, id DESC);
CREATE TABLE operator_login (
    operator_id    bigint PRIMARY KEY REFERENCES operator,
    password_hash  text,
    must_change    boolean NOT NULL DEFAULT false,
    totp_secret    text,
    totp_step      bigint NOT NULL DEFAULT 0,
    failures       integer NOT NULL DEFAULT 0,
    locked_until   timestamptz,
    sessions_after timestamptz NOT NULL
);
COMMENT ON COLUMN operator_login.password_hash IS 'argon2id, in its own encoded form; NULL: signs in through OpenID Connect only';
COMMENT ON COLUMN operator_login.totp_secret IS 'JWE of the secret of RFC 6238, by the key passphrase';
COMMENT ON COLUMN operator_login.totp_step IS 'the last time step whose code was taken: none is taken twice';
COMMENT ON COLUMN operator_login.sessions_after IS 'sign-ins that began earlier have ended';

-- Four eyes: a waiver or a release is proposed by one person and decided on by another.
CREATE TABLE proposal (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('waiver', 'release')),
    batch_id    bigint NOT NULL REFERENCES batch,
    partner_id  bigint REFERENCES partner,
    places      bytea,
    count       bigint NOT NULL,
    reason      text NOT NULL,
    proposed_by bigint NOT NULL REFERENCES operator,
    proposed_at timestamptz NOT NULL,
    CHECK ((kind = 'waiver') = (partner_id IS NOT NULL AND places IS NOT NULL))
);
COMMENT ON COLUMN proposal.places IS 'waiver: the numbers it is for; no others are waived, whatever becomes open later';
CREATE INDEX proposal_by_batch ON proposal (batch_id);
CREATE TABLE proposal_end (
    proposal_id bigint PRIMARY KEY REFERENCES proposal,
    outcome     text NOT NULL CHECK (outcome IN ('approved', 'declined', 'withdrawn')),
    note        text NOT NULL,
    count       bigint NOT NULL,
    decided_by  bigint NOT NULL REFERENCES operator,
    decided_at  timestamptz NOT NULL
);
COMMENT ON COLUMN proposal_end.count IS 'numbers that it freed';
CREATE FUNCTION second_person_decides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.outcome = 'withdrawn') <> (NEW.decided_by = (SELECT proposed_by FROM proposal WHERE id = NEW.proposal_id)) THEN
        RAISE EXCEPTION 'a proposal is withdrawn by whoever made it and decided on by somebody else';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER four_eyes BEFORE INSERT ON proposal_end FOR EACH ROW EXECUTE FUNCTION second_person_decides();

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['operator', 'operator_event', 'proposal', 'proposal_end']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
