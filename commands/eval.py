"""`casewright eval`: try the suites on the real parts, hold the results against the gates, show what came of it."""

import typer

from commands import eval_add, eval_data, eval_inspect, eval_report, eval_run


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Evaluate: suites, gates, reports, and the data they stand on.", no_args_is_help=True)
    eval_run.add(app)
    eval_report.add(app)
    eval_data.add(app)
    eval_add.add(app)
    eval_inspect.add(app)
    return app
