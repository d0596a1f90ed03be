-- How many numbers each person looked up in an hour, and how many of them were not for sale: for limits and alarms. No number is
-- kept. Counts, not facts; the alarms are facts (operator_event).
CREATE TABLE looked_up (
    operator_id bigint NOT NULL REFERENCES operator,
    hour        timestamptz NOT NULL,
    numbers     integer NOT NULL,
    blocked     integer NOT NULL,
    PRIMARY KEY (operator_id, hour)
);
