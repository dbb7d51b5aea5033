"""Reading settings: order of the sources, origins, and what a mistake is answered with."""

from pathlib import Path

import pytest

from loa.errors import ConfigError
from loa.settings.load import load
from loa.settings.outline import outline
from loa.settings.secret import Secret
from loa.settings.tree import Settings


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "loa.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def complaint(*args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        load(*args, **kwargs)
    assert caught.value.code == "config"
    return str(caught.value)


def test_nothing_given_means_the_defaults():
    loaded = load()
    assert loaded.settings == Settings()
    assert set(loaded.origins) == set(outline())
    assert set(loaded.origins.values()) == {"default"}


def test_flags_win_over_environment_over_file_over_defaults(file):
    path = file('[server]\nlisten_port = 1001\nlisten_host = "::1"\n[log]\nlevel = "error"\n')
    env = {"LOA_SERVER__LISTEN_PORT": "1002", "LOA_LOG__LEVEL": "debug", "PATH": "/bin"}
    loaded = load(path, env, {"server.listen_port": 1003, "server.admin_port": None})
    assert loaded.settings.server.listen_port == 1003
    assert loaded.settings.log.level == "debug"
    assert loaded.settings.server.listen_host == "::1"
    assert loaded.settings.server.admin_port == 0
    assert loaded.origins["server.listen_port"] == "flag server.listen_port"
    assert loaded.origins["log.level"] == "environment LOA_LOG__LEVEL"
    assert loaded.origins["server.listen_host"] == f"file {path}"
    assert loaded.origins["server.admin_port"] == "default"


def test_the_environment_may_name_the_file(file):
    path = file('language = "en"\n')
    assert load(env={"LOA_CONFIG": str(path)}).settings.language == "en"
    other = path.with_name("other.toml")
    other.write_text('language = "vi"\n')
    assert load(other, {"LOA_CONFIG": str(path)}).settings.language == "vi"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATA_DIR", "/var/lib/loa", Path("/var/lib/loa")),
        ("DRAIN_S", "2.5", 2.5),
        ("CALLBACKS__ALLOW_HTTP", "yes", True),
        ("CALLBACKS__ALLOW_HTTP", "False", False),
        ("CALLBACKS__PORTS", "443, 8080", (443, 8080)),
        ("CALLBACKS__PORTS", "", ()),
        ("CALLBACKS__ALLOW_NETWORKS", "10.0.0.0/8,::1/128", ("10.0.0.0/8", "::1/128")),
        ("ADVERTISING__HOURS_OPEN", "08:15", "08:15"),
        ("LIMITS__BODY_BYTES_MAX", " 1_048_576 ", 1_048_576),
    ],
)
def test_text_becomes_the_type_of_the_setting(name, text, value):
    settings = load(env={f"LOA_{name}": text}).settings
    section, _, leaf = name.lower().rpartition("__")
    assert getattr(getattr(settings, section) if section else settings, leaf) == value


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("server.listen_port", "eighty", "must be a whole number"),
        ("server.listen_port", 70_000, "must be 0 to 65,535"),
        ("server.listen_port", True, "must be a whole number"),
        ("drain_s", "nan", "must be 0 to 3,600"),
        ("drain_s", "long", "must be a number"),
        ("log.level", "loud", "must be one of: debug, info, warning, error"),
        ("callbacks.allow_http", "perhaps", "must be true or false"),
        ("callbacks.ports", [0], "not ports: 0"),
        ("callbacks.ports", 443, "must be a list"),
        ("callbacks.allow_networks", "10.0.0.1/8", "'10.0.0.1/8' is not a network"),
        ("numbers.countries", "vn", "not country codes: vn"),
        ("advertising.hours_open", "7:00", 'must be a time of day such as "07:00"'),
        ("server.listen_host", 7, "must be text"),
        ("data_dir", "", "must name a file or folder"),
    ],
)
def test_a_bad_value_is_told_with_what_where_and_how(name, value, told):
    said = complaint(flags={name: value})
    assert said.startswith(f"{name} is {value!r} but ")
    assert told in said
    assert said.endswith(f"(flag {name})")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"env": {"LOA_SERVER__LISTENPORT": "1"}}, "did you mean LOA_SERVER__LISTEN_PORT?"),
        ({"env": {"LOA_LISTEN_PORT": "1"}}, "did you mean LOA_SERVER__LISTEN_PORT?"),
        ({"flags": {"retention.content_day": 1}}, "did you mean retention.content_days?"),
        ({"flags": {"zzz": 1}}, "see docs/reference/settings.md"),
        ({"env": {"LOA_SERVER": "x"}}, "server is a section, not a setting"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(given, hint):
    assert hint in complaint(**given)


@pytest.mark.parametrize("text", ["[sever]\nlisten_port = 1\n", "[sever]\n", "[server.more]\nx = 1\n", "server = 3\n"])
def test_unknown_names_in_the_file_are_refused(file, text):
    assert "loa.toml" in complaint(file(text))


def test_every_mistake_is_in_one_message(file):
    said = complaint(file("[log]\nlevel = 3\n"), {"LOA_LANGUAGE": "fr"}, {"drain": 1})
    assert said.count("; ") >= 2
    assert all(part in said for part in ("log.level", "language is 'fr'", "no setting drain"))


def test_a_file_that_cannot_be_read_is_told(tmp_path, file):
    assert "No such file" in complaint(tmp_path / "none.toml")
    assert "is not TOML" in complaint(file("a = = 3"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    assert "is not TOML" in complaint(tmp_path / "bytes.toml")


POSTGRES = {"database": "postgresql://loa@127.0.0.1/loa"}


def test_roles_may_be_few_on_postgresql_and_all_but_the_console_anywhere():
    assert load(flags={**POSTGRES, "roles": "api, upkeep"}).settings.roles == ("api", "upkeep")
    everything = "api,dispatch,callbacks,receipts,upkeep"
    assert load(flags={"roles": everything}).settings.roles == tuple(everything.split(","))
    assert "console" in load().settings.roles


@pytest.mark.parametrize(
    ("roles", "told"), [("api,dispach", "names dispach, which there is not; choose of: api, dispatch"), ("", "empty")]
)
def test_a_role_that_there_is_not_is_named(roles, told):
    assert told in complaint(flags={**POSTGRES, "roles": roles})


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"advertising.hours_open": "21:45"}, "hours_open must come before hours_last"),
        ({"advertising.hours_last": "23:00"}, "hours_last not after hours_close"),
        ({"callbacks.per_endpoint": 300}, "per_endpoint must not be above concurrency"),
        ({"server.admin_port": 8080}, "admin_port must differ from listen_port"),
        ({"roles": "api,dispatch"}, "roles: callbacks, receipts, upkeep would run nowhere"),
        ({"roles": "api,dispatch"}, "set database to the address of a PostgreSQL"),
        ({"server.workers": 2}, "server: workers is above 1, but a SQLite ledger belongs to one process"),
        ({**POSTGRES, "server.workers": 2, "roles": "dispatch"}, "this process has not the role api"),
        ({**POSTGRES, "server.workers": 2, "server.admin_port": 8078}, "among the ports that workers take"),
    ],
)
def test_values_that_contradict_each_other_are_refused(flags, told):
    assert told in complaint(flags=flags)


def test_a_secret_comes_from_the_environment_or_a_file_of_its_own(tmp_path, file):
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    direct = load(env={"LOA_CLIENT__API_KEY": "s3cret"})
    by_file = load(env={"LOA_CLIENT__API_KEY_FILE": str(key)})
    by_toml = load(file(f'[client]\napi_key_file = "{key}"\n'))
    for loaded in (direct, by_file, by_toml):
        assert loaded.settings.client.api_key == Secret("s3cret")
        assert "s3cret" not in repr(loaded)
    assert by_file.origins["client.api_key"] == f"environment LOA_CLIENT__API_KEY_FILE ({key})"


def test_a_secret_in_the_settings_file_is_refused_without_showing_it(file):
    said = complaint(file('[client]\napi_key = "s3cret"\n'))
    assert "LOA_CLIENT__API_KEY_FILE" in said
    assert "s3cret" not in said


def test_a_secret_file_that_is_missing_is_told(tmp_path):
    said = complaint(env={"LOA_CLIENT__API_KEY_FILE": str(tmp_path / "none")})
    assert said.startswith("client.api_key: cannot read")
    assert "s3cret" not in complaint(flags={"client.api_key": ["s3cret"]})


def test_the_ledger_lies_in_the_data_directory_unless_told():
    assert load(flags={"data_dir": "/d"}).settings.ledger_path == Path("/d/loa.db")
    assert load(flags={"database": "sqlite:////x/y.db"}).settings.ledger_path == Path("/x/y.db")
    assert load(flags={"database": "sqlite:///y.db"}).settings.ledger_path == Path("y.db")
