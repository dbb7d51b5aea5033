"""What end-to-end tests share: a PostgreSQL to throw away."""

from tests.support.postgres import postgres

__all__ = ["postgres"]
