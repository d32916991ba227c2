"""From breaches to incidents, who is notified of them, and whether retraining is asked for."""
