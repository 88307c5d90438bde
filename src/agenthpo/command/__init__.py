"""How a configuration reaches a script, and what can be known of that script before it runs."""
