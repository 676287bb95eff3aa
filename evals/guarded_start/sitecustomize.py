"""Python imports this at its start where the folder is on its path: `evals.isolation` puts it there, nobody else."""

import os

from evals.sockets import install

install(os.environ)
