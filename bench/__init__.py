"""The benchmark: the gateway beside other ways to do its job, on this machine alone."""
