"""Compile exported C sources as one language or another."""

import subprocess
from pathlib import Path

__all__ = ["C11", "C99", "CPP", "SANITIZERS", "build"]

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
C99, C11, CPP = ["gcc", "-std=c99"], ["gcc", "-std=c11"], ["g++", "-std=c++17", "-x", "c++"]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def build(
    sources: Path, scratch: Path, main: str, *, compiler: list[str], main_compiler: list[str], flags: list[str]
) -> Path:
    """Return a program of the sources and a main file, each compiled as a language of its own."""
    (scratch / "main.c").write_text(main)
    objects = []
    for path in (*sorted(sources.glob("detector_*.c")), scratch / "main.c"):
        language = main_compiler if path.name == "main.c" else compiler
        objects.append(scratch / f"{path.stem}.o")
        command = [*language, *WARNINGS, *flags, "-I", str(sources), "-c", str(path), "-o", str(objects[-1])]
        subprocess.run(command, check=True)
    linker = "g++" if CPP in (compiler, main_compiler) else "gcc"
    subprocess.run([linker, *flags, *map(str, objects), "-o", str(scratch / "main")], check=True)
    return scratch / "main"
