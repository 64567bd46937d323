"""Entry point of `python -m tests.cluster_tool`."""

from tests.cluster_tool.cli import main

main()
