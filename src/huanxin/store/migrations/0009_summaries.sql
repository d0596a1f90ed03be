-- Summaries: what a page shows of millions of numbers, counted from the facts beforehand. They are no facts: drop them all, and
-- they are counted again. `stamp` says which facts were counted.
CREATE TABLE summary (
    kind    text NOT NULL,
    key     text NOT NULL,
    stamp   text NOT NULL,
    body    jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (kind, key)
);
