"""One file per suite; `evals.registry` lists them."""
