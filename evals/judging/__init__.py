"""A model as the judge of how text reads: tone, clarity, completeness; calibrated first, and never of anything else."""
