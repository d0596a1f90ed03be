"""Verbs 5 and 6: the gate, waivers, release lists."""
