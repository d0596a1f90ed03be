"""How a partner comes in: its account, its proofs, the self-test, the first rehearsal."""
