"""The `casewright` command: puts the application folder on the path and hands over.

The only file that touches `sys.path`. In a checkout the folder is the checkout, in a wheel it is
`casewright/_app`, so that site-packages gains no name but `casewright`. `casewright mcp` takes a
short way that imports no command-line library: a client waits for it.
"""

import importlib
import sys

STOPPED = "stopped; nothing is lost, run it again to go on"


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = _run()
    except KeyboardInterrupt:  # while modules were imported: nobody inside could take note of it
        code = _stopped()
    sys.exit(code)


def _run() -> int:
    from casewright.config import app_root  # first used here, so that Ctrl-C while it is imported ends in order

    root = str(app_root())
    if root not in sys.path:
        sys.path.insert(0, root)
    arguments = sys.argv[1:]
    by_people = arguments == ["mcp"] or {"--help", "--json", "install", "doctor", "bundle"} & set(arguments)
    module = "commands.mcp_servers" if arguments[:1] == ["mcp"] and not by_people else "commands.main"
    return importlib.import_module(module).run(arguments)


def _stopped() -> int:
    """The same as `commands.main` says of a command that was stopped while it worked."""
    sys.stderr.write(f"casewright: {STOPPED}\n")
    if "--json" in sys.argv[1:]:
        sys.stdout.write(f'{{"error": {{"message": "{STOPPED}", "exit_code": 1}}}}\n')
    return 1


if __name__ == "__main__":
    main()
