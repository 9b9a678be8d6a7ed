"""How secrets are recognised: by the name beside them, by their value, by their form."""
