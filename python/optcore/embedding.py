"""Where the headers and libraries for C and C++ lie that come with the package.

`docs/embedding.md` shows what to do with them. On the command line: `python -m optcore --cmake-dir`
or `--include-dir` or `--pkgconfig-dir`.
"""

from __future__ import annotations

from pathlib import Path

from . import _core


class NotInstalledError(FileNotFoundError):
    """The package was installed without what C and C++ need."""


def _folder(*parts: str, holds: str) -> str:
    root = Path(_core.__file__).resolve().parent  # installed side by side, also when editable
    folder = root.joinpath(*parts)
    if not (folder / holds).is_file():
        raise NotInstalledError(
            f"{folder / holds}: expected it beside the extension module, got nothing; an extension "
            "that was built by hand comes without it, so install with `pip install .`"
        )
    return str(folder)


def get_include() -> str:
    """The folder to give to a compiler with `-I`: it holds `optcore/optcore.h` and `optcore.hpp`.

    Returns:
        An absolute path.

    Raises:
        NotInstalledError: the package was not installed with its headers.

    Example:
        >>> import optcore as oc
        >>> def show():
        ...     print(oc.get_include())  # /…/site-packages/optcore/include
    """
    return _folder("include", holds="optcore/optcore.h")


def get_cmake_dir() -> str:
    """The folder of `optcoreConfig.cmake`, for `cmake -Doptcore_DIR=…`.

    Builds by scikit-build-core find it without being told, by the entry point `cmake.root`.

    Returns:
        An absolute path.

    Raises:
        NotInstalledError: the package was not installed with its CMake files.

    Example:
        >>> import optcore as oc
        >>> def show():
        ...     print(oc.get_cmake_dir())  # /…/site-packages/optcore/lib/cmake/optcore
    """
    return _folder("lib", "cmake", "optcore", holds="optcoreConfig.cmake")


def get_pkgconfig_dir() -> str:
    """The folder of `optcore.pc`, for `PKG_CONFIG_PATH`.

    Returns:
        An absolute path.

    Raises:
        NotInstalledError: the package was not installed with its .pc file.

    Example:
        >>> import optcore as oc
        >>> def show():
        ...     print(oc.get_pkgconfig_dir())  # /…/site-packages/optcore/lib/pkgconfig
    """
    return _folder("lib", "pkgconfig", holds="optcore.pc")
