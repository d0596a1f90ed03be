"""One number: everything on record, masked."""
