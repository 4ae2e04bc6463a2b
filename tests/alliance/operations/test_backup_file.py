"""The file of a backup: what goes in comes out, whole or not at all."""

import subprocess
import tracemalloc
from io import BytesIO
from random import Random

import pyrage
import pytest

from alliance.operations import backup_file, backup_keys
from alliance.operations.failed import Failed

MANIFEST = {"format": 1, "engine": "sqlite"}
CONTENT = [Random(1).randbytes(1_000_003) for _ in range(20)]  # more than two parts


@pytest.fixture
def pair():
    return backup_keys.one_for_the_moment()


@pytest.fixture(scope="module")
def whole():
    """The key, and the bytes of a file that is encrypted to it and of one in clear."""
    private, public = backup_keys.one_for_the_moment()
    files = {}
    for encrypted in (True, False):
        backup_file.write(file := BytesIO(), MANIFEST, iter(CONTENT), [public] if encrypted else [])
        files[encrypted] = file.getvalue()
    return private, files


def written(path, recipients, content=CONTENT):
    with path.open("wb") as file:
        backup_file.write(file, MANIFEST, iter(content), recipients)
    return path


def read(path, identities):
    with backup_file.opened(path, identities) as backup:
        return backup.manifest, b"".join(backup.content())


def test_what_goes_in_comes_out(tmp_path, pair):
    private, public = pair
    assert read(written(tmp_path / "a", [public]), [private]) == (MANIFEST, b"".join(CONTENT))
    assert read(written(tmp_path / "b", []), []) == (MANIFEST, b"".join(CONTENT))
    assert read(written(tmp_path / "c", [], []), []) == (MANIFEST, b"")
    assert backup_file.manifest_of(tmp_path / "a", [private]) == MANIFEST
    assert backup_file.is_encrypted(tmp_path / "a")
    assert not backup_file.is_encrypted(tmp_path / "b")
    assert CONTENT[0][:50] not in (tmp_path / "a").read_bytes()


def test_each_of_several_keys_opens_it_and_no_other(tmp_path, pair):
    others = [backup_keys.one_for_the_moment() for _ in range(2)]
    path = written(tmp_path / "a", [pair[1], others[0][1]])
    for private in (pair[0], others[0][0]):
        assert read(path, [private])[0] == MANIFEST
    with pytest.raises(Failed, match="This key does not open this backup"):
        read(path, [others[1][0]])
    with pytest.raises(Failed, match="--identity"):
        read(path, [])


@pytest.mark.parametrize("left", [10, 150, 700, 70_000, 9_000_000, -600, -17, -1])
def test_a_file_that_is_cut_short_is_not_taken_for_whole(tmp_path, whole, left):
    private, files = whole
    path = with_content(tmp_path / "a", files[True][:left])
    with pytest.raises(Failed, match=r"cut short or damaged|not a backup"):
        read(path, [private])


@pytest.mark.parametrize("left", [0, 10, 700, 70_000, 9_000_000, -1600, -1024 - 512])
def test_nor_one_that_is_in_clear(tmp_path, whole, left):
    _, files = whole
    path = with_content(tmp_path / "a", files[False][:left])
    with pytest.raises(Failed, match=r"cut short or damaged|not a backup"):
        read(path, [])


@pytest.mark.parametrize("encrypted", [True, False])
def test_one_changed_byte_is_noticed(tmp_path, whole, encrypted):
    private, files = whole
    content = bytearray(files[encrypted])
    assert read(with_content(tmp_path / "whole", content), [private])[0] == MANIFEST
    content[5_000_000] ^= 1
    with pytest.raises(Failed, match="cut short or damaged"):
        read(with_content(tmp_path / "a", content), [private])


def with_content(path, content):
    path.write_bytes(content)
    return path


def test_another_file_is_told_apart(tmp_path):
    other = tmp_path / "a"
    other.write_bytes(b"%PDF-1.7 " + bytes(5000))
    with pytest.raises(Failed, match="not a backup"):
        read(other, [])
    subprocess.run(["tar", "--create", "--file", other, "--directory", "/etc", "hostname"], check=True)
    with pytest.raises(Failed, match="not a backup"):
        read(other, [])
    with pytest.raises(Failed, match="cannot be read"):
        read(tmp_path / "none", [])


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_the_source_or_the_disk_says_comes_out(tmp_path, pair, encrypted):
    recipients = [pair[1]] if encrypted else []

    def breaking():
        yield from CONTENT
        raise Failed("pg_dump failed.")

    with pytest.raises(Failed, match="pg_dump failed"):
        written(tmp_path / "a", recipients, breaking())
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        backup_file.write(full, MANIFEST, iter(CONTENT), recipients)


def test_reading_may_stop_half_way(tmp_path, whole):
    """As when the database refuses what is in it: the thread that decrypts must not wait for ever."""
    private, files = whole
    path = with_content(tmp_path / "a", files[True])

    def refuse():
        with backup_file.opened(path, [private]) as backup:
            next(backup.content())
            raise Failed("The database refused.")

    with pytest.raises(Failed, match="The database refused"):
        refuse()


def test_memory_stays_flat(tmp_path, pair):
    some = bytes(1_000_000)
    tracemalloc.start()
    try:
        written(tmp_path / "a", [pair[1]], (some for _ in range(150)))
        with backup_file.opened(tmp_path / "a", [pair[0]]) as backup:
            assert sum(map(len, backup.content())) == 150_000_000
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_it_can_be_opened_with_age_and_tar_alone(tmp_path, pair):
    clear = tmp_path / "clear"
    clear.write_bytes(pyrage.decrypt(written(tmp_path / "a", [pair[1]]).read_bytes(), [pair[0]]))
    subprocess.run(["tar", "--extract", "--file", clear, "--directory", tmp_path], check=True)
    parts = sorted((tmp_path / "database").iterdir())
    assert len(parts) == 3
    assert b"".join(part.read_bytes() for part in parts) == b"".join(CONTENT)


def test_keys_as_their_tools_write_them(tmp_path, pair):
    key = tmp_path / "key.txt"
    key.write_text(f"# created: 2026-11-28\n# public key: {pair[1]}\n{pair[0]}\n")
    path = written(tmp_path / "a", backup_keys.recipients([str(pair[1])]))
    assert read(path, backup_keys.identities(key))[0] == MANIFEST
    for wrong, says in (
        ("hello", "AGE-SECRET-KEY-1"),
        ("# nothing\n", "no private key"),
        ("\xff", "no private key"),
    ):
        key.write_text(wrong, "latin-1")
        with pytest.raises(Failed, match=says):
            backup_keys.identities(key)
    with pytest.raises(Failed, match="cannot be read"):
        backup_keys.identities(tmp_path / "none")
    with pytest.raises(Failed, match="no public key"):
        backup_keys.recipients(["age1wrong"])
    with pytest.raises(Failed, match="no public key"):
        backup_keys.recipients([str(pair[0])])  # the private one by mistake
