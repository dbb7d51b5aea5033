"""The HTTP faces of Loa."""
