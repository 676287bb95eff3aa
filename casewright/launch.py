"""The `casewright` command: puts the application folder on the path and hands over.

The only file that touches `sys.path`. In a checkout the folder is the checkout, in a wheel it is
`casewright/_app`, so that site-packages gains no name but `casewright`. `casewright mcp` takes a
short way that imports no command-line library: a client waits for it.
"""

import importlib
import sys

from casewright.config import app_root


def main() -> None:
    """Run the command line and exit with its code."""
    root = str(app_root())
    if root not in sys.path:
        sys.path.insert(0, root)
    arguments = sys.argv[1:]
    by_people = arguments == ["mcp"] or {"--help", "--json", "install", "doctor", "bundle"} & set(arguments)
    module = "commands.mcp_servers" if arguments[:1] == ["mcp"] and not by_people else "commands.main"
    sys.exit(importlib.import_module(module).run(arguments))


if __name__ == "__main__":
    main()
