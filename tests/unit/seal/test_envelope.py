"""An envelope opens with its key, at its place, unchanged, and in no other way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loa.errors import CannotOpen, ConfigError
from loa.seal.envelope import PREFIX, Damaged, Envelope, close
from loa.seal.keyring import Keyring, MasterKey
from loa.seal.sealer import OPENED_KEPT, FixedKeys, Sealer, key_of

KEY, OTHER = MasterKey.of(b"k" * 32), MasterKey.of(b"o" * 32)
PLACES = st.text(max_size=60)
FEW = settings(max_examples=40, deadline=None)


def sealer(*keys: MasterKey) -> Sealer:
    made = Sealer(FixedKeys(Keyring(keys or (KEY,)), "the test"))
    made.use((keys or (KEY,))[0].id)
    return made


@FEW
@given(PLACES, st.text())
def test_what_was_sealed_opens_in_another_process(place: str, plain: str) -> None:
    text = plain.encode("utf-8", "replace").decode()
    sealed = sealer().seal(place, text)
    assert sealer().open(place, sealed) == text
    assert key_of(sealed) == KEY.id
    assert text not in sealed or len(text) < 4


def test_the_same_value_never_looks_the_same() -> None:
    one = sealer()
    assert len({one.seal("p", "secret") for _ in range(50)}) == 50


@FEW
@given(PLACES, PLACES)
def test_a_value_that_was_moved_does_not_open(here: str, there: str) -> None:
    sealed = sealer().seal(here, "secret")
    if here != there:
        with pytest.raises(CannotOpen, match="another place"):
            sealer().open(there, sealed)


def test_what_was_opened_once_does_not_open_elsewhere() -> None:
    one = sealer()
    sealed = one.seal("here", "secret")
    assert one.open("here", sealed) == one.open("here", sealed) == "secret"
    with pytest.raises(CannotOpen):
        one.open("there", sealed)


@FEW
@given(st.data())
def test_no_changed_octet_and_no_cut_is_taken(data: st.DataObject) -> None:
    sealed = sealer(KEY, OTHER).seal("place", "secret")
    at = data.draw(st.integers(len(PREFIX), len(sealed) - 1))
    put = data.draw(st.sampled_from([chr(c) for c in range(33, 127) if chr(c) != sealed[at]]))
    for changed in (sealed[:at] + put + sealed[at + 1 :], sealed[:at], sealed + put):
        with pytest.raises(CannotOpen):
            sealer(KEY, OTHER).open("place", changed)


def test_every_single_octet_counts() -> None:
    sealed = sealer().seal("place", "secret")
    flips = {"A": "B"}
    for at in range(len(PREFIX), len(sealed)):
        with pytest.raises(CannotOpen):
            sealer().open("place", sealed[:at] + flips.get(sealed[at], "A") + sealed[at + 1 :])


@pytest.mark.parametrize("text", ["sealed:", "sealed:2:x:AAAA", "sealed:1:x:!", "sealed:1:x:AAAA", "sealed:1:x"])
def test_what_is_no_envelope_is_not_read(text: str) -> None:
    with pytest.raises(Damaged):
        Envelope.read(text)
    assert key_of(text) == "?"
    with pytest.raises(CannotOpen, match=r"of endpoint\.secrets does not open"):
        sealer().open("endpoint.secrets:7", text)


def test_a_plain_value_of_a_ledger_from_before_is_read_as_it_is() -> None:
    one = sealer()
    assert one.open("p", '{"password": "x"}') == '{"password": "x"}'
    assert key_of('{"password": "x"}') == ""
    assert key_of(one.rewrap("p", '{"password": "x"}')) == KEY.id


def test_the_error_names_the_key_and_the_cure_and_nothing_secret() -> None:
    sealed = sealer(OTHER).seal("p", "hunter2")
    with pytest.raises(CannotOpen, match=f"master key {OTHER.id}, which is not in the test: copy that key"):
        sealer(KEY).open("p", sealed)


@FEW
@given(PLACES, st.text(max_size=40).filter(str.isprintable))
def test_another_master_key_leaves_the_value_and_its_data_key_alone(place: str, plain: str) -> None:
    old = sealer(OTHER).seal(place, plain)
    both = sealer(KEY, OTHER)
    new = both.rewrap(place, old)
    assert key_of(new) == KEY.id
    assert Envelope.read(new).closed == Envelope.read(old).closed
    assert sealer(KEY).open(place, new) == plain
    assert both.rewrap(place, new) == new


def test_a_moved_value_is_not_wrapped_anew_either() -> None:
    with pytest.raises(CannotOpen):
        sealer(KEY, OTHER).rewrap("there", sealer(OTHER).seal("here", "secret"))


def test_the_first_key_seals_where_the_ledger_names_none() -> None:
    one = Sealer(FixedKeys(Keyring((OTHER, KEY)), "the test"))
    assert key_of(one.seal("p", "x")) == OTHER.id


def test_keys_that_somebody_gave_are_not_added_to() -> None:
    with pytest.raises(ConfigError, match="come from the test: put a new one, made by openssl"):
        FixedKeys(Keyring((KEY,)), "the test").add_fresh()


def test_what_is_kept_open_has_a_bound() -> None:
    one, far = sealer(), close("p", "x", KEY).written()
    assert one.open("p", far) == "x"
    for number in range(OPENED_KEPT + 1):
        one._opened["p", str(number)] = "x"
    one.open("q", one.seal("q", "y"))
    assert len(one._opened) == 1


class Growing:
    """Keys that another process adds to."""

    where = "the file"

    def __init__(self, *keys: MasterKey) -> None:
        self.keyring, self.read_count = Keyring(keys), 0

    def read(self) -> Keyring:
        self.read_count += 1
        return self.keyring

    def make(self) -> Keyring:
        return self.read()

    def add_fresh(self) -> Keyring:
        self.keyring = self.keyring.with_first(MasterKey.fresh())
        return self.keyring


def test_a_new_key_is_learned_when_it_is_met_and_an_old_one_kept() -> None:
    source = Growing(KEY)
    one = Sealer(source)
    one.use(KEY.id)
    old = one.seal("p", "x")
    source.keyring = Keyring((OTHER,))
    assert one.open("p", sealer(OTHER).seal("p", "y")) == "y"
    assert one.open("p", old) == "x"
    reads = source.read_count
    for _ in range(10):
        one.open("p", one.seal("p", "z"))
    assert source.read_count == reads
    assert one.has(OTHER.id)
    assert not one.has("0" * 12)
