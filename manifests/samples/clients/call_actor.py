"""Call an actor with Apify's Python client, and read what it made.

How to run it::

    pip install apify-client
    export APIFY_API_URL=http://localhost:8080 APIFY_TOKEN=apify_api_…
    python call_actor.py sdk-python '{"until": 3}'
"""

import json
import os
import sys

from apify_client import ApifyClient


def main(actor: str, run_input: str = "{}") -> None:
    """Call, wait for the end, print items and output."""
    client = ApifyClient(os.environ["APIFY_TOKEN"], api_url=os.environ["APIFY_API_URL"])
    run = client.actor(actor).call(run_input=json.loads(run_input))
    if run is None:
        sys.exit("The run is gone.")
    print(f"Run {run.id}: {run.status}")
    for item in client.dataset(run.default_dataset_id).iterate_items():
        print("Item:", json.dumps(item))
    output = client.key_value_store(run.default_key_value_store_id).get_record("OUTPUT")
    print("OUTPUT:", json.dumps(output["value"] if output else None))


main(*sys.argv[1:])
