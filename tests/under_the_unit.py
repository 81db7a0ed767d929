"""Runs a command under the system calls that a systemd unit leaves: `under_the_unit.py UNIT [DROP-IN …] -- COMMAND`.

What systemd would do is done by libseccomp, which systemd itself uses: the last `SystemCallFilter=` lines win over the
first, groups are told by `systemd-analyze syscall-filter`, and whatever is not let in answers EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

_ALLOW = 0x7FFF0000
_EPERM = 0x00050000 | errno.EPERM
_ENOSYS = 0x00050000 | errno.ENOSYS
_MASKED_EQ = 7
_NEW = {
    "mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip


class Compare(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def settings(paths: list[Path], key: str) -> list[str]:
    """The values of a key in the order in which systemd reads them; an empty one takes back all before it."""
    found: list[str] = []
    for path in paths:
        for value in re.findall(rf"^{key}=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            found = [*found, value] if value else []
    return found


def calls(name: str) -> set[str]:
    """The system calls of a group, or the one of that name."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True
    ).stdout
    inside = [line.strip() for line in said.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(calls(one) for one in inside))


def let_in(paths: list[Path]) -> set[str]:
    """All calls that the units let in."""
    allowed = calls("@default")
    for value in settings(paths, "SystemCallFilter"):
        named = set().union(*(calls(one) for one in value.removeprefix("~").split()))
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


def refused_namespaces(paths: list[Path]) -> set[str]:
    said = settings(paths, "RestrictNamespaces")[-1]
    if said in ("yes", "no"):
        return set(_NEW) if said == "yes" else set()
    return set(_NEW) - set(said.split())


def lock_in(paths: list[Path]) -> None:
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Compare)
    )  # fmt: skip
    library.seccomp_load.argtypes = (ctypes.c_void_p,)
    spaces = library.seccomp_init(_ALLOW)
    for name in refused_namespaces(paths):
        compare = (Compare * 1)(Compare(0, _MASKED_EQ, _NEW[name], _NEW[name]))
        for call in (b"clone", b"unshare"):
            library.seccomp_rule_add_array(spaces, _EPERM, library.seccomp_syscall_resolve_name(call), 1, compare)
    library.seccomp_rule_add_array(spaces, _ENOSYS, library.seccomp_syscall_resolve_name(b"clone3"), 0, None)
    listed = library.seccomp_init(_EPERM)
    for call in sorted(let_in(paths)):
        number = library.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            library.seccomp_rule_add_array(listed, _ALLOW, number, 0, None)
    assert library.seccomp_load(spaces) == 0
    assert library.seccomp_load(listed) == 0


if __name__ == "__main__":
    end = sys.argv.index("--")
    lock_in([Path(name) for name in sys.argv[1:end]])
    os.execvp(sys.argv[end + 1], sys.argv[end + 1 :])
