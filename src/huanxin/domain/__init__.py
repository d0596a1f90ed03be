"""Numbers, tenures, partners, outcomes and the rules as set algebra: values only."""
