"""Verb 1 as stored: reports, what they sold, who was allotted what."""
