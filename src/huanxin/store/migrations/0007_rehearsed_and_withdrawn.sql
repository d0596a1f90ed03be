-- Rehearsals by polling: a token that the poll answer gives as it is, forged ones among them. Used in the sandbox's schema.
CREATE TABLE rehearsed_token (
    jti   text PRIMARY KEY REFERENCES delivery,
    token text NOT NULL,
    at    timestamptz NOT NULL
);
COMMENT ON TABLE rehearsed_token IS 'rehearsal: what a poll answers for an event instead of signing it anew';

-- An operator withdraws an admission, or frees a name. A partner that is withdrawn is told nothing more and not let in.
ALTER TABLE account_event DROP CONSTRAINT account_event_kind_check;
ALTER TABLE account_event ADD CONSTRAINT account_event_kind_check
    CHECK (kind IN ('registered', 'domain-proven', 'admitted', 'live', 'withdrawn', 'name-freed'));
CREATE TABLE partner_withdrawal (
    partner_id   bigint PRIMARY KEY REFERENCES partner,
    reason       text NOT NULL,
    withdrawn_by text NOT NULL,
    withdrawn_at timestamptz NOT NULL
);
COMMENT ON TABLE partner_withdrawal IS 'partners that are no longer told of anything and no longer let in; what they answered stays';

-- A name is one account's or partner's for as long as it isn't freed.
ALTER TABLE account DROP CONSTRAINT account_name_key_key;
CREATE INDEX account_by_name ON account (name_key);
ALTER TABLE partner DROP CONSTRAINT partner_name_key;
CREATE INDEX partner_by_name ON partner (name);

DO $$
DECLARE fact text;
BEGIN
    FOREACH fact IN ARRAY ARRAY['rehearsed_token', 'partner_withdrawal']
    LOOP
        EXECUTE format('CREATE TRIGGER %I_is_a_fact BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', fact, fact);
    END LOOP;
END $$;
