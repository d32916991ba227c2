"""Where the bank's data is read: one scan per partition, brought back as a mergeable profile."""
