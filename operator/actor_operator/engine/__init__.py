"""What keeps a reconciler going: caches, queue, timers, lease. Knows nothing of actors or HTTP."""
