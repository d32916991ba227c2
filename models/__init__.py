"""What is watched: one YAML file per production fraud model, and the one definition of what it may say."""
