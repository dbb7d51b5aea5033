"""What may be said of a database's address: never its user, password or parameters."""

from urllib.parse import unquote, urlsplit


def place_of(url: str) -> str:
    """Give hosts, ports and name of a database, as in "db1,db2/loa"."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{unquote(parts.path)}"
