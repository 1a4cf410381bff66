"""Ways to run the gateway: see README.md."""
