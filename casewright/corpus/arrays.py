"""Numpy arrays in files: written whole or piece by piece, mapped into memory for reading.

What is mapped is shared by all processes that search the same state, and the system takes it back when memory is
short. It knows nothing of what the numbers mean.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

_SUFFIX = ".npy"


class ArrayWriter:
    """Writes one array of a known shape, part by part along its first axis."""

    def __init__(self, folder: Path, name: str, *, shape: tuple[int, ...], dtype: "npt.DTypeLike") -> None:
        """Begin the file; as a context it raises ValueError at its end when values are missing.

        Raises:
            OSError: the folder cannot be written.
        """
        import numpy as np

        self._name = name
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._left = int(np.prod(shape))
        self._file = (folder / f"{name}{_SUFFIX}").open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, part: "npt.NDArray[Any]") -> None:
        """Write the next values.

        Raises:
            OSError: there is no room for them.
        """
        import numpy as np

        self._file.write(np.ascontiguousarray(part, dtype=self._dtype).data)
        self._left -= part.size

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Bring the file to the disk and hold it against its shape, unless something else failed."""
        with self._file as file:
            if kind is not None:
                return
            file.flush()
            os.fsync(file.fileno())
        if self._left:
            raise ValueError(f"{self._left} values are missing from the array {self._name!r} of shape {self._shape!r}")


def save(folder: Path, name: str, array: "npt.NDArray[Any]") -> None:
    """Write one array.

    Raises:
        OSError: the folder cannot be written.
    """
    with ArrayWriter(folder, name, shape=array.shape, dtype=array.dtype) as writer:
        writer.add(array)


def mapped(folder: Path, name: str) -> "npt.NDArray[Any]":
    """The array, read only.

    Raises:
        OSError: it is missing.
        ValueError: it is damaged.
    """
    import numpy as np

    path = folder / f"{name}{_SUFFIX}"
    try:
        found = np.load(path, mmap_mode="r")
    except ValueError:
        found = np.load(path)  # nothing can be mapped of an array without values
    return np.asarray(found)
