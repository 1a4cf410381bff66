"""Who may call, and with which authcode."""
