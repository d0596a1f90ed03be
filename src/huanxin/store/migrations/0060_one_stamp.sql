-- What left the freeze of a batch is read from the reports that affect it, as the gate does: it was kept once more for the pool.
DROP TABLE pool_left;
