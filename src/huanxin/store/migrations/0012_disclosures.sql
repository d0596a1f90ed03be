-- Disclosures: what a buyer was told of a number before choosing it, and acknowledged. Sold one at a time, so they are rows.
CREATE TABLE disclosure_text (
    sha256   bytea PRIMARY KEY,
    version  text NOT NULL,
    language text NOT NULL,
    text     text NOT NULL
);
COMMENT ON TABLE disclosure_text IS 'the exact words that buyers saw; they name no number, so many disclosures share them';
CREATE TABLE disclosure (
    id              text PRIMARY KEY,
    seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    number          bigint NOT NULL,
    carrier         text NOT NULL,
    closed_on       date,
    grade           text NOT NULL CHECK (grade IN ('A', 'B', 'C')),
    asked           integer NOT NULL,
    confirmed       integer NOT NULL,
    text_sha256     bytea NOT NULL REFERENCES disclosure_text,
    method          text NOT NULL CHECK (method IN ('signature', 'code', 'reference')),
    evidence        text NOT NULL,
    operator_id     bigint NOT NULL REFERENCES operator,
    acknowledged_at timestamptz NOT NULL,
    CHECK ((method = 'code') = (evidence = ''))
);
COMMENT ON COLUMN disclosure.closed_on IS 'the day on which the tenure before ended; NULL: nobody is reported to have held the number';
COMMENT ON COLUMN disclosure.evidence IS 'signature: the path of an SVG; reference: the record in the shop''s own system; code: nothing, no contact number is kept';
CREATE INDEX disclosure_by_number ON disclosure (number, seq DESC);
CREATE INDEX disclosure_by_carrier ON disclosure (carrier, seq DESC);
CREATE TABLE disclosure_withdrawal (
    disclosure_id text PRIMARY KEY REFERENCES disclosure,
    reason        text NOT NULL,
    operator_id   bigint NOT NULL REFERENCES operator,
    withdrawn_at  timestamptz NOT NULL
);
COMMENT ON TABLE disclosure_withdrawal IS 'the buyer did not take the number: it may be disclosed to another';

-- Programs of a shop act for an operator by a token; only its hash is kept.
CREATE TABLE operator_token (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id bigint NOT NULL REFERENCES operator,
    token_hash  bytea NOT NULL UNIQUE,
    made_by     text NOT NULL,
    made_at     timestamptz NOT NULL
);
CREATE TABLE operator_token_end (
    token_id bigint PRIMARY KEY REFERENCES operator_token,
    ended_by text NOT NULL,
    ended_at timestamptz NOT NULL
);

-- A breach may be found in a report, about numbers of no batch.
ALTER TABLE breach ALTER COLUMN batch_id DROP NOT NULL, ALTER COLUMN places DROP NOT NULL,
    ADD COLUMN report_id bigint REFERENCES report,
    ADD CHECK ((batch_id IS NULL) = (places IS NULL)), ADD CHECK (batch_id IS NOT NULL OR report_id IS NOT NULL);
CREATE TABLE breach_set (
    breach_id bigint NOT NULL REFERENCES breach,
    shard     integer NOT NULL,
    numbers   bytea NOT NULL,
    PRIMARY KEY (breach_id, shard)
);
COMMENT ON TABLE breach_set IS 'the numbers of a breach that was found in a report';

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['disclosure_text', 'disclosure', 'disclosure_withdrawal', 'operator_token',
        'operator_token_end', 'breach_set']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
