"""Evaluates untrusted-until-now policies once, alone in a process that may crash or be killed.

Run as a script by `warmup`; needs only the standard library and regorus. It reads one JSON
document on stdin and writes one line on stdout when it got to the end. It is deliberately *not*
imported by anything.
"""

import importlib
import json
import sys
from typing import Any


def main() -> int:
    """Evaluate every rule for every document; only a crash or a refused module is a failure."""
    job: dict[str, Any] = json.load(sys.stdin)
    engine: Any = importlib.import_module("regorus").Engine()
    try:
        for path, text in job["modules"]:
            engine.add_policy(path, text)
        engine.add_policy("warm_up.rego", "package warm_up\n\ndone := true\n")
        engine.add_data_json(job["data"])
        engine.eval_rule_as_json("data.warm_up.done")  # analyses all modules; one bad one fails every rule
    except RuntimeError as error:
        sys.stderr.write(str(error).split("\n\nStack backtrace")[0].strip())
        return 1
    for document in job["documents"]:
        engine.set_input_json(json.dumps(document))
        for rule in job["rules"]:
            try:
                engine.eval_rule_as_json(f"data.{rule}")
            except RuntimeError:
                continue  # A rule may refuse a document loudly; the caller then denies.
    sys.stdout.write("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
