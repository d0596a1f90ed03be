"""The pages of partners: their notices, what was delivered, keys, stream, rehearsals."""
