"""Who is told what, once, and whether retraining is asked for."""
