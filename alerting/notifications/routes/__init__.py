"""Who is notified where: the routes file, how it is read, and what follows from it for an incident."""
