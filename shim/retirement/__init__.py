"""How the gateway ends: who still calls, what replaces each call, and when it may be switched off."""
