"""Greet: print ``Hello, <message>`` with the message of the run's input."""

import json
import os


def main() -> None:
    """Read the input, say hello, end well."""
    run_input = json.loads(os.environ.get("ACTOR_INPUT_JSON", "{}"))
    print(f"Hello, {run_input.get('message', 'world')}", flush=True)


main()
