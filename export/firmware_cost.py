"""Count the instructions and the stack of the firmware example on an emulated Cortex-M4."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from nowplaying_core.errors import CorruptArtifactError

__all__ = ["emulate", "measure_cortex_m"]

_QEMU: Final = ("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-icount", "shift=0")
_SEMIHOSTING: Final = ("-semihosting-config", "enable=on,target=native")


def measure_cortex_m(sources: Path, frontend: Path, scratch: Path) -> dict[str, Any]:
    """Build ``example/`` for a Cortex-M4, and run it on the golden sound in QEMU.

    Parameters
    ----------
    sources : Path
        What :func:`export.firmware.export_firmware` wrote.
    frontend : Path
        Unpacked sources of pymicro-features.
    scratch : Path
        Folder for the build.

    Returns
    -------
    dict
        ``check`` and ``different``, 0 where all equals the golden vectors; ``frames``, ``outputs``; ``heap_bytes``,
        ``network_bytes``, ``ring_bytes``; ``code_bytes`` with constants and golden vectors; and for ``record``,
        ``front_end``, ``frame`` and ``network_step``: ``calls``, ``mean`` and ``most`` instructions, ``stack_bytes``.
        Of two stages also ``second_stage`` and ``second_stage_bytes``; it is run at every output of the first.

    Raises
    ------
    CorruptArtifactError
        When the program does not build, or something differs from the golden vectors.
    """
    return emulate(sources, scratch, "measure", {"MICROFRONTEND": str(frontend)})


def emulate(sources: Path, scratch: Path, program: str, settings: Mapping[str, str]) -> dict[str, Any]:
    """Build a program of ``example/`` for a Cortex-M4, and return the JSON that it prints in QEMU.

    Parameters
    ----------
    sources : Path
        What :func:`export.firmware.export_firmware` wrote.
    scratch : Path
        Folder for the build.
    program : str
        Target of the example's ``CMakeLists.txt``.
    settings : mapping of str to str
        Its options.

    Raises
    ------
    CorruptArtifactError
        When the program does not build, or ends with an error.
    """
    configure = ["cmake", "-S", sources / "example", "-B", scratch]
    configure += [f"-D{name}={value}" for name, value in settings.items()]
    configure.append(f"-DCMAKE_TOOLCHAIN_FILE={sources / 'example/cortex_m/toolchain.cmake'}")
    for command in (configure, ["cmake", "--build", scratch, "--target", program]):
        _run(command)
    return dict(json.loads(_run([*_QEMU, *_SEMIHOSTING, "-kernel", scratch / program])))


def _run(command: list[Any]) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=900)
    if done.returncode != 0:
        message = f"{command[0]} failed ({done.returncode}): {(done.stdout + done.stderr).strip()[-2000:]}"
        raise CorruptArtifactError(message)
    # QEMU writes what the program prints to stderr.
    return done.stdout or done.stderr
