"""Every error class of Loa, one tree, each with a stable code.

    LoaError
    ├── CallerError          a tenant's request is wrong
    │   ├── Unauthorised     no key, or one that is not valid here
    │   ├── Forbidden        a valid key that may not do this
    │   └── NotFound         no such thing, or another tenant's
    ├── ConfigError          the admin's settings or set-up are wrong
    ├── StorageError         the ledger cannot serve now
    │   ├── StorageUnavailable   database away, I/O error, overload
    │   ├── StorageFull          no room to accept more
    │   ├── LedgerBusy           another process owns the ledger file
    │   ├── SchemaMismatch       the file is older or newer than this program serves
    │   └── CannotOpen           a sealed value whose master key is not here, or that was changed
    └── ProtocolError        a peer broke its protocol

Exceptions are for us; what a provider says of a message is an Outcome, never an exception. No HTTP status stands here:
each face maps codes to its own.
"""

from collections.abc import Mapping


class LoaError(Exception):
    """The root: a stable code, a text for the log, and fields that fill the bilingual text for people."""

    code = "internal"

    def __init__(self, detail: str = "", **fields: object) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.fields: Mapping[str, object] = fields


class CallerError(LoaError):
    """The tenant's request is wrong and will stay wrong until it is changed."""

    code = "invalid_request"

    def __init__(self, code: str = "invalid_request", detail: str = "", **fields: object) -> None:
        super().__init__(detail or code, **fields)
        self.code = code


class Unauthorised(LoaError):
    """No key, or an unknown, expired, revoked or out-of-network one: the reply is the same for all."""

    code = "unauthorised"


class Forbidden(LoaError):
    """The key is valid, but may not do this."""

    code = "forbidden"

    def __init__(self, code: str = "forbidden", detail: str = "", **fields: object) -> None:
        super().__init__(detail or code, **fields)
        self.code = code


class NotFound(LoaError):
    """There is no such thing for this tenant."""

    code = "not_found"


class ConfigError(LoaError):
    """Settings or set-up are wrong; the text says what, where and how to cure it."""

    code = "config"


class StorageError(LoaError):
    """The ledger cannot serve this call now; nothing of it was stored."""

    code = "storage"


class StorageUnavailable(StorageError):
    """The database is away, failing or overloaded."""

    code = "storage_unavailable"


class StorageFull(StorageError):
    """No room is left to accept more messages."""

    code = "storage_full"


class LedgerBusy(StorageError):
    """Another process owns the ledger."""

    code = "ledger_busy"


class SchemaMismatch(StorageError):
    """The ledger's schema is newer or older than this program serves."""

    code = "schema_mismatch"


class CannotOpen(StorageError):
    """A sealed value does not open: its master key is not here, or it was changed or moved."""

    code = "cannot_open"


class ProtocolError(LoaError):
    """A peer broke its protocol."""

    code = "protocol"
