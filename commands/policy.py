"""`casewright policy`: the tools of those who write the access policies, one file each."""

import typer

from commands import policy_build, policy_data, policy_mutate
from commands.policy_check import check
from commands.policy_explain import explain_decision
from commands.policy_matrix import matrix
from commands.policy_replay import replay
from commands.policy_test import test


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Check, test, explain, replay and ship the access policies.", no_args_is_help=True)
    app.command("check")(check)
    app.command("test")(test)
    app.command("explain")(explain_decision)
    app.command("replay")(replay)
    app.command("matrix")(matrix)
    policy_build.register(app)
    policy_data.register(app)
    policy_mutate.register(app)
    return app
