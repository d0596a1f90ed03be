"""PostgreSQL: migrations, queries, transactions; SQL is here and nowhere else."""
