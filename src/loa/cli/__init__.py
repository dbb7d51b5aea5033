"""The loa command, one file a command group."""
