"""What a demo remembers beside its ledger: its keys and ports, so that a second start goes on as the first."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from loa.domain import keys
from loa.errors import ConfigError
from loa.notify.signature import new_secret

FILE_NAME: Final = "demo.json"
DEMO_SENDER: Final = "LOA-DEMO"


@dataclass(frozen=True, slots=True)
class DemoState:
    """Keys in the plain, which is right for a demo only. Ports 0: any free one."""

    api_key: str
    test_api_key: str
    callback_secret: str
    url: str = ""
    smsc_port: int = 0
    receiver_port: int = 0
    zalo_port: int = 0


def read_state(data_dir: Path) -> DemoState | None:
    """Read what the demo in a folder remembers, None where none ran. Errors: ConfigError."""
    path = data_dir / FILE_NAME
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        state = DemoState(**{each.name: found[each.name] for each in fields(DemoState) if each.name in found})
        sound = keys.well_formed(state.api_key) and keys.well_formed(state.test_api_key)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        sound = False
    if not sound:
        raise ConfigError(f"{path} is not what a demo wrote: remove it, or choose another folder with --data")
    return state


def state_to_begin(data_dir: Path) -> DemoState:
    """Give what an earlier demo remembers, or new keys, which are on disk before anything else. Errors: ConfigError."""
    known = read_state(data_dir)
    if known is not None:
        return known
    made = DemoState(keys.mint(live=True).secret, keys.mint(live=False).secret, new_secret())
    write_state(data_dir, made)
    return made


def write_state(data_dir: Path, state: DemoState) -> None:
    """Replace the file in one step, readable by this user only. Errors: ConfigError."""
    path = data_dir / FILE_NAME
    part = path.with_suffix(".part")
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(state), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}; choose another folder with --data") from error
