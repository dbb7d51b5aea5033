"""What others wrote and Loa serves is what they published, with its licence beside it."""

import hashlib
import tomllib

from tests.house.sources import SOURCE, below, text

FOLDER = SOURCE / "console" / "static" / "vendored"
LIST = tomllib.loads(text(FOLDER / "vendored.toml"))


def test_every_vendored_file_has_the_hash_in_the_list() -> None:
    found = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in LIST}
    assert found == {name: entry["sha256"] for name, entry in LIST.items()}


def test_every_file_there_is_on_the_list_with_version_and_licence() -> None:
    served = {path.name for path in FOLDER.iterdir() if path.suffix in {".js", ".css"}}
    assert served == set(LIST)
    for name, entry in LIST.items():
        assert set(entry) == {"package", "version", "file", "licence", "licence_text", "sha256"}, name
        assert len(text(FOLDER / entry["licence_text"])) > 500


def test_no_script_or_style_stands_inside_a_page() -> None:
    for page in below("src/loa/console", suffixes=(".html",)):
        words = text(page).lower()
        assert "<style" not in words, page
        assert " style=" not in words, page
        assert "<script>" not in words, page
        assert " onclick=" not in words, page
