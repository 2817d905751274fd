"""Files and folders that are replaced in one step, whatever happens meanwhile."""

import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from xvcluster.record import replace as module
from xvcluster.record.replace import check_target, find_former, replace, scratch

WRITER = """
import itertools, sys
from pathlib import Path
from xvcluster.record import replace as module
from xvcluster.record.replace import replace

target, is_folder = Path(sys.argv[1]), sys.argv[2] == "folder"
if sys.argv[3] == "in two steps":
    module._exchange = lambda *_: False
print("ready", flush=True)
for i in itertools.count():
    with replace(target) as temporary:
        if is_folder:
            temporary.mkdir()
        files = [temporary / str(j) for j in range(4)] if is_folder else [temporary]
        for file in files:
            with file.open("w") as opened:
                for _ in range(20):
                    opened.write(f"{i}\\n" * 50)
                    opened.flush()
"""


@pytest.fixture(params=["file", "folder"])
def kind(request):
    return request.param


def put(target, text):
    """Write one text to a file, or to four files in a folder."""
    with replace(target) as temporary:
        fill(temporary, text, "folder" if target.suffix == ".zarr" else "file")


def fill(path, text, kind):
    if kind == "folder":
        path.mkdir()
        for i in range(4):
            (path / str(i)).write_text(text)
    else:
        path.write_text(text)


def read(target):
    """The distinct lines of all files, and their number."""
    path = find_former(target)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    lines = [line for file in files for line in file.read_text().splitlines()]
    return set(lines), len(lines)


def target_of(folder, kind):
    return folder / ("target.zarr" if kind == "folder" else "target.nc")


def kill_while_writing(target, kind, steps, delay):
    command = [sys.executable, "-c", WRITER, str(target), kind, steps]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [("file", "at once"), ("folder", "at once"), ("folder", "in two steps")],
)
def test_kills_leave_one_whole_thing_and_nothing_after_the_next_write(tmp_path, kind, steps):
    target = target_of(tmp_path, kind)
    put(target, "0\n" * 1000)
    draw = random.Random(0)
    for _ in range(4):
        kill_while_writing(target, kind, steps, draw.uniform(0.0, 0.08))
        texts, n = read(target)
        assert (len(texts), n) == (1, 4000 if kind == "folder" else 1000)
    put(target, "0\n" * 1000)
    assert list(tmp_path.iterdir()) == [target]


def test_the_former_folder_is_found_and_put_back_where_nothing_stands_under_the_name(tmp_path):
    target = target_of(tmp_path, "folder")
    put(target, "former\n")
    target.rename(module._former(target))  # killed between two renames
    assert read(target) == ({"former"}, 4)
    with pytest.raises(OSError, match="stop"), replace(target):
        raise OSError("stop")
    assert read(target) == ({"former"}, 4)
    put(target, "new\n")
    assert read(target) == ({"new"}, 4)
    assert list(tmp_path.iterdir()) == [target]


def test_left_overs_of_a_living_process_stay(tmp_path):
    with scratch(tmp_path) as temporary:
        temporary.write_text("mine")
        code = "import sys; from xvcluster.record.replace import replace\n"
        code += "with replace(sys.argv[1]) as path: path.touch()"
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "x")], check=True)
        assert temporary.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_two_that_write_one_name_leave_one_whole_thing(tmp_path, kind):
    target = target_of(tmp_path, kind)

    def write_many(text):
        for _ in range(25):
            put(target, text)

    threads = [threading.Thread(target=write_many, args=(f"{i}\n" * 100,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts, n = read(target)
    assert (len(texts), n) == (1, 400 if kind == "folder" else 100)
    assert list(tmp_path.iterdir()) == [target]


def test_the_mode_is_kept(tmp_path, kind):
    target = target_of(tmp_path, kind)
    put(target, "a")
    target.chmod(0o750)
    put(target, "b")
    assert target.stat().st_mode & 0o777 == 0o750


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path, kind):
    target = tmp_path / ("é" * 125 + (".zarr" if kind == "folder" else "12.nc"))
    assert len(os.fsencode(target.name)) == 255
    put(target, "a")
    put(target, "b")
    assert read(target)[0] == {"b"}


@pytest.fixture(params=["pipe", "socket", "link to a pipe"])
def no_file(tmp_path, request):
    path = tmp_path / "no_file.nc"
    if request.param == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            here = os.getcwd()
            os.chdir(tmp_path)  # such names are short
            opened.bind(path.name)
            os.chdir(here)
    elif request.param == "pipe":
        os.mkfifo(path)
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
    return path


def test_a_device_or_pipe_is_never_replaced(no_file):
    mode = no_file.stat().st_mode
    with pytest.raises(ValueError, match="neither a file nor a folder but a device, pipe or soc"):
        check_target(no_file)
    with pytest.raises(ValueError, match="give the name of a file"):
        put(no_file, "a")
    assert no_file.stat().st_mode == mode


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "x"), RuntimeError("NetCDF: HDF error")])
def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch, error):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    target = target_of(tmp_path, "file")
    put(target, "a")
    message = r"no space is left on the disk: .*target\.nc was not written; what stood there is un"
    with pytest.raises(OSError, match=message), replace(target):
        raise error
    assert target.read_text() == "a"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    message = r"cannot be written: a\.nc needs a folder in which files can be made"
    with pytest.raises(PermissionError, match=message), replace(tmp_path / "a.nc"):
        raise PermissionError(errno.EACCES, "x")


def test_other_errors_pass(tmp_path):
    with pytest.raises(RuntimeError, match="mine"), replace(tmp_path / "a.nc"):
        raise RuntimeError("mine")
    assert list(tmp_path.iterdir()) == []
