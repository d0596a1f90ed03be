-- Who called an order off where a service was not told of it yet: its owner, or somebody at the platform, and why.
ALTER TABLE request_call_off
    ADD COLUMN called_off_by text NOT NULL DEFAULT 'visitor',
    ADD COLUMN reason text NOT NULL DEFAULT '';
COMMENT ON COLUMN request_call_off.called_off_by IS 'visitor: the owner';
