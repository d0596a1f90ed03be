-- Where the numbers of each shard stand after what happened before a day: folded once, so that a day costs what it brings.
-- It is no fact: it can be made again from report_set, and is forgotten where something earlier is recorded or taken back.
CREATE TABLE settled (
    shard integer PRIMARY KEY,
    until date NOT NULL
);
COMMENT ON COLUMN settled.until IS 'what happened on earlier days is in settled_set; 0001-01-01: nothing is';
CREATE TABLE settled_set (
    shard   integer NOT NULL REFERENCES settled,
    place   smallint NOT NULL,
    carrier text NOT NULL,
    numbers bytea NOT NULL,
    names   bytea,
    sets    bytea,
    PRIMARY KEY (shard, place, carrier)
);
ALTER TABLE settled_set ALTER numbers SET STORAGE EXTERNAL, ALTER names SET STORAGE EXTERNAL, ALTER sets SET STORAGE EXTERNAL;
COMMENT ON COLUMN settled_set.place IS '0 in service, 1 ported out, 2 frozen';
COMMENT ON COLUMN settled_set.names IS 'of frozen numbers, the cancellations after which they rest: day (counted from the year 1), report, layer, and where the set of each ends in sets, as integers of 64 bits';
INSERT INTO settled (shard, until) SELECT DISTINCT shard, DATE '0001-01-01' FROM report_set;

-- How far back each report reaches: files that come late reach back further, and what they may name is not settled yet.
CREATE TABLE report_reach (
    report_id bigint PRIMARY KEY REFERENCES report,
    carrier   text NOT NULL,
    first_day date NOT NULL,
    last_day  date NOT NULL
);
CREATE INDEX report_reach_by_carrier ON report_reach (carrier, report_id);
INSERT INTO report_reach (report_id, carrier, first_day, last_day)
SELECT s.report_id, r.carrier, min(s.day), max(s.day) FROM report_set s JOIN report r ON r.id = s.report_id
GROUP BY s.report_id, r.carrier;

-- Cancellations of which a plan took every number that was due: none of them is looked for again.
CREATE TABLE planned_whole (
    carrier   text NOT NULL,
    closed_on date NOT NULL,
    report_id bigint NOT NULL,
    layer     smallint NOT NULL,
    PRIMARY KEY (carrier, closed_on, report_id, layer)
);

-- Batches of which nothing can be released before an instant, unless somebody answers, waives or lifts a hold.
CREATE TABLE nothing_to_release (
    batch_id    bigint PRIMARY KEY REFERENCES batch,
    until       timestamptz,
    freeze_days integer NOT NULL
);
COMMENT ON COLUMN nothing_to_release.until IS 'when a freeze or hold ends by itself; null: time alone frees nothing';
COMMENT ON COLUMN nothing_to_release.freeze_days IS 'the freeze in force when that was found: a shorter one may free more';
