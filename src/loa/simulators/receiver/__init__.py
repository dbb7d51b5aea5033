"""A callback receiver: takes any request, checks its signature, and answers as scripted."""
