"""From breaches to incidents: one per cause, with evidence, money at stake and a life of its own."""
