"""From a stranger's table to a watched model: init, suggest, doctor."""
