"""Who is told what, once, and is retraining asked for?"""
