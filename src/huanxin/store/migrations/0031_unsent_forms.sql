-- What somebody sent after their sign-in had ended: not carried out, and offered to them again once they have signed in.
CREATE TABLE unsent_form (
    room    text NOT NULL,
    whose   text NOT NULL,
    sealed  bytea NOT NULL,
    kept_at timestamptz NOT NULL,
    PRIMARY KEY (room, whose)
);
COMMENT ON TABLE unsent_form IS 'no fact: one for a person, replaced by the next, forgotten after a day; encrypted, since it may name numbers';
