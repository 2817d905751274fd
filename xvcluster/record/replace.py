"""Replace a file or folder in one step, so that a crash leaves the former or the new one, whole."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_OURS = ".xvcluster-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_HERE = -100  # AT_FDCWD: relative paths start from the current folder
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS


@contextmanager
def replace(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Provide a temporary name in the same folder, which replaces the file or folder at the end.

    Permissions are kept. What a killed process has left in the folder is removed.

    Parameters
    ----------
    path : path-like
        Unchanged if the body raises.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If something that is neither a file nor a folder has that name, such as a device.
    OSError
        If the folder cannot be written, or the disk is full.
    """
    check_target(path)
    target = Path(path).resolve()  # replace what a link points to, not the link
    with _explained(target), scratch(target.parent) as temporary:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        if temporary.is_dir():
            _put_folder(temporary, target)
        else:
            os.replace(temporary, target)


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse to write where there is no folder, or over a device, a pipe or a socket."""
    target = Path(path).resolve()
    if not target.parent.is_dir():
        folder = str(Path(path).parent)
        raise FileNotFoundError(
            f"the folder {folder!r} does not exist; create it before writing {path!s}"
        )
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValueError(
            f"{str(path)!r} is neither a file nor a folder but a device, pipe or socket; give the "
            "name of a file"
        )


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Provide a name in a folder that is removed at the end, or by the next one if we are killed.

    A lock beside it says whether its process lives: the system releases it when the process ends.
    """
    _remove_left_overs(folder)
    lock, held = _lock(folder)
    temporary = lock.with_suffix(".tmp")
    try:
        yield temporary
    finally:
        _remove(temporary)
        held.close()
        lock.unlink(missing_ok=True)


def find_former(path: str | os.PathLike[str]) -> Path:
    """Return a path, or that of the folder which a killed process was about to replace."""
    target = Path(path).resolve()
    former = _former(target)
    return Path(path) if target.exists() or not former.exists() else former


def _put_folder(new: Path, target: Path) -> None:
    """Move a folder to its place; the former one ends where the new one was."""
    former = _former(target)
    if former.exists() and not target.exists():
        former.rename(target)
    _remove(former)
    for _ in range(100):  # others may write the same name meanwhile
        try:
            if target.exists():
                if not _exchange(new, target):
                    target.rename(former)
                    new.rename(target)
                    former.rename(new)
            else:
                new.rename(target)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
    raise OSError(f"{str(target)!r} is being replaced by others again and again; write it later")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False if the system cannot do so."""
    if sys.platform == "win32":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    a, b = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(_HERE, a, _HERE, b, _EXCHANGE)
    elif hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(a, b, _EXCHANGE)
    else:
        return False
    number = ctypes.get_errno()
    if failed and number == errno.ENOENT:
        raise FileNotFoundError(number, os.strerror(number), str(other))
    return not failed


def _former(target: Path) -> Path:
    """Where a folder lies while it is replaced in two steps."""
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
    return target.with_name(f"{_OURS}{digest[:16]}.former")


def _lock(folder: Path) -> tuple[Path, IO[str]]:
    """Make a lock file in a folder, and hold it."""
    while True:
        lock = folder / f"{_OURS}{uuid.uuid4().hex}.lock"
        file = lock.open("x")
        is_ours = _hold(file) is not False
        with suppress(FileNotFoundError):  # removed by another before we held it
            if is_ours and os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return lock, file
        file.close()


def _hold(file: IO[str]) -> bool | None:
    """Lock a file; False if another holds it, None if there are no locks, and left-overs stay."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_left_overs(folder: Path) -> None:
    """Remove what processes that were killed have left in a folder."""
    for lock in folder.glob(f"{_OURS}*.lock"):
        with suppress(OSError), lock.open("r+") as file:
            if _hold(file):
                _remove(lock.with_suffix(".tmp"))
                lock.unlink()


def _remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Say which file was not written where the disk is full or the folder cannot be written."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = getattr(error, "errno", None)
        kept = "; what stood there is unchanged" if target.exists() else ""
        # the NetCDF library says "HDF error" only
        if number in _FULL or shutil.disk_usage(target.parent).free < 4096:
            raise OSError(
                number or errno.ENOSPC,
                f"no space is left on the disk: {target} was not written{kept}",
            ) from error
        if isinstance(error, PermissionError):
            raise PermissionError(
                f"{str(target.parent)!r} cannot be written: {target.name} needs a folder in "
                f"which files can be made and replaced{kept}"
            ) from error
        raise
