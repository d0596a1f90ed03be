"""The set types, shards and codecs."""
