"""Private clusters, and the one that quick tests share."""

from tests.support.postgres import make_cluster, postgres

__all__ = ["make_cluster", "postgres"]
