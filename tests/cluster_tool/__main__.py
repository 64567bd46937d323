"""Entry point of `python -m tests.cluster_tool`."""

from tests.cluster_tool import interrupts

with interrupts.as_exit_codes():
    # Imported with signals in hand: loading the command line takes a while on a busy machine.
    from tests.cluster_tool.cli import main

    main()
