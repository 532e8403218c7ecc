"""The ledger's part of a job alone: see `benchmarks.empty_worker`."""
