"""``python -m actor_operator`` is ``actorctl``."""

from actor_operator.cli.main import main

main()
