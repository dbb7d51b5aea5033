"""The file of master keys: one line a key, readable by its owner alone, written whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from loa.errors import ConfigError
from loa.seal.keyring import Keyring, MasterKey

NAME: Final = "master.key"
_HEAD: Final = (
    "# Master keys of Loa's ledger. Back this file up, and not beside the ledger: who has both has the secrets.\n"
)
_OTHERS: Final = 0o077


class KeyFile:
    """Master keys in a file; several processes may read and change it. Errors of every call: ConfigError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def where(self) -> str:
        """See KeySource."""
        return f"the file {self.path}"

    def read(self) -> Keyring:
        """See KeySource; a file that others may read is refused."""
        try:
            with self.path.open("rb") as file:
                mode, text = stat.S_IMODE(os.fstat(file.fileno()).st_mode), file.read().decode("ascii", "replace")
        except FileNotFoundError:
            return Keyring()
        except OSError as error:
            raise self._fault("read", error) from error
        if mode & _OTHERS:
            raise ConfigError(f"the key file {self.path} is open to others ({mode:03o}): chmod 600 {self.path}")
        keyring = Keyring.read(text, self.where)
        if not keyring.keys:
            raise ConfigError(f"the key file {self.path} is empty: put it back from its backup")
        return keyring

    def make(self) -> Keyring:
        """See KeySource. Of two processes that make it at once one does, and both give its keys."""
        with self._alone():
            found = self.read()
            if not found.keys:
                found = Keyring((MasterKey.fresh(),))
                self._write(found)
        # One that was there may have been made a moment ago, by a process that has not come this far.
        self._folder_to_disk()
        return found

    def add_fresh(self) -> Keyring:
        """See KeySource."""
        with self._alone():
            changed = self.read().with_first(MasterKey.fresh())
            self._write(changed)
        return changed

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the file meanwhile; the lock falls with the process."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._fault("write", error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, keyring: Keyring) -> None:
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            part.unlink(missing_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="ascii") as file:  # noqa: PTH123 - made with its rights
                file.write(_HEAD + "".join(f"{key.written()}\n" for key in keyring.keys))
                file.flush()
                os.fsync(handle)
            part.replace(self.path)
        except OSError as error:
            raise self._fault("write", error) from error
        self._folder_to_disk()

    def _folder_to_disk(self) -> None:
        handle = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _fault(self, what: str, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot {what} the key file {self.path}: {error.strerror}; mend its rights or those of its folder, or name"
            " another with seal.key_file"
        )
