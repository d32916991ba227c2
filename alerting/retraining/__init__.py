"""Would retraining help, and is the data fit to learn from? Every refusal has its reason."""
