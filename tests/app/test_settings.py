"""Settings are read tolerantly and written whole."""

import msgspec
import pytest

from gradsim.app.settings import (
    MOST_RECENT,
    Settings,
    read_settings,
    settings_path,
    with_recent_file,
    write_settings,
)


def test_what_is_written_is_read_again(tmp_path):
    settings = Settings(theme="dark", recent_files=("a", "b"), speed=7.5, loop=True)
    path = tmp_path / "deep" / "settings.json"
    assert write_settings(settings, path)
    assert read_settings(path) == settings


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"theme": 3}', b'{"later": 1}']
)
def test_a_damaged_file_gives_the_defaults(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert read_settings(path) == Settings()


def test_a_wrong_value_costs_only_itself(tmp_path):
    path = tmp_path / "settings.json"
    path.write_bytes(msgspec.json.encode({"theme": "pink", "speed": 9.0, "loop": "yes"}))
    assert read_settings(path) == Settings(speed=9.0)


def test_a_folder_that_cannot_be_written_disturbs_nobody(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert not write_settings(Settings(), tmp_path / "file" / "settings.json")


def test_recent_files_stand_once_and_the_newest_first(tmp_path):
    settings = Settings()
    for number in [*range(12), 5]:
        settings = with_recent_file(settings, tmp_path / f"{number}.json")
    assert len(settings.recent_files) == MOST_RECENT
    assert settings.recent_files[0].endswith("5.json")
    assert len(set(settings.recent_files)) == MOST_RECENT
    assert settings.folder == str(tmp_path)


def test_settings_lie_in_a_folder_of_the_program(qapp):
    assert settings_path().name == "settings.json"
