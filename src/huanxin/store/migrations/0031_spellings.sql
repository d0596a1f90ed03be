-- By what a name is found: itself, its pinyin and its initials, in small letters. Made of the name by a worker; no fact.
CREATE TABLE spelling (
    name     text PRIMARY KEY,
    found_by text NOT NULL
);
