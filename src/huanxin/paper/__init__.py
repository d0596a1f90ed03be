"""Sheets of A4 with Chinese text, and QR codes. Knows nothing of numbers."""
