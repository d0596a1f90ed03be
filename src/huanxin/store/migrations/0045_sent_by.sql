-- Who sent each notice. Of those that were sent before, nobody knows: only the console kept who did, with the person.
ALTER TABLE notice ADD COLUMN sent_by text NOT NULL DEFAULT '';
