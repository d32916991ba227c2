"""How rows become profiles: scanned by an engine's SQL, or counted in this process."""
