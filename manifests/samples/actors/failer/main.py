"""Fail: end with ``exitCode`` of the input (1 without it)."""

import json
import os
import sys


def main() -> None:
    """Say why on standard error, and fail."""
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    code = int(run_input.get("exitCode", 1))
    print(f"Something went wrong: exit code {code}", file=sys.stderr, flush=True)
    sys.exit(code)


main()
