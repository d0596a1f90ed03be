-- Four eyes also over who made whom: a right over waivers and releases begins when another person confirms it, and whoever made,
-- reset or confirmed somebody is never their second pair of eyes.

-- What gives somebody such a right anew, or lets another act in their name; what they are confirmed after.
CREATE FUNCTION operator_confirmed(who bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM operator_event c WHERE c.operator_id = who AND c.kind = 'confirmed' AND c.id > coalesce((
            SELECT max(e.id) FROM operator_event e WHERE e.operator_id = who
            AND (e.kind = 'enabled' OR (e.kind = 'roles' AND (e.detail ->> 'anew')::boolean)
                 OR (e.kind = 'password-set' AND (e.detail ->> 'must_change')::boolean))), 0))
$$;
COMMENT ON FUNCTION operator_confirmed IS 'whether somebody was confirmed since they got a right over waivers and releases, or were reset';

CREATE FUNCTION operators_tied(one bigint, other bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM operator_event e JOIN operator o ON o.login = e.recorded_by
                   WHERE e.kind IN ('roles', 'enabled', 'password-set', 'token-made', 'confirmed')
                   AND ((e.operator_id = one AND o.id = other) OR (e.operator_id = other AND o.id = one)))
        OR EXISTS (SELECT 1 FROM operator m JOIN operator o ON o.login = m.added_by
                   WHERE (m.id = one AND o.id = other) OR (m.id = other AND o.id = one))
$$;
COMMENT ON FUNCTION operators_tied IS 'whether one of two people made, reset or confirmed the other';

CREATE OR REPLACE FUNCTION second_person_decides() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE proposer bigint := (SELECT proposed_by FROM proposal WHERE id = NEW.proposal_id);
BEGIN
    IF (NEW.outcome = 'withdrawn') <> (NEW.decided_by = proposer) THEN
        RAISE EXCEPTION 'a proposal is withdrawn by whoever made it and decided on by somebody else';
    END IF;
    IF NEW.outcome = 'approved' AND (operators_tied(proposer, NEW.decided_by) OR NOT operator_confirmed(NEW.decided_by)) THEN
        RAISE EXCEPTION 'a proposal is approved by somebody confirmed, whom its proposer has not made, reset or confirmed, nor they its proposer';
    END IF;
    RETURN NEW;
END $$;

-- Whoever works here already counts as confirmed.
INSERT INTO operator_event (operator_id, kind, detail, recorded_by, at)
SELECT id, 'confirmed', '{}', 'upgrade', now() FROM operator ORDER BY id;

-- A waiver or a release that was approved was recorded in the instant of the decision.
CREATE VIEW decided_by_two AS
SELECT p.kind, p.batch_id, p.partner_id, e.decided_at FROM proposal p JOIN proposal_end e ON e.proposal_id = p.id
WHERE e.outcome = 'approved';
COMMENT ON VIEW decided_by_two IS 'waivers and releases that two people decided on; any other was decided on by one person';
