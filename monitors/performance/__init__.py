"""Does the model still catch fraud? By cohort day, against its baseline, and expected before labels."""
