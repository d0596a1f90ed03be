"""pyarrow, loaded at its first use: that takes a fifth of a second and 40 MB, and most processes read and write no file."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["pa", "pa_csv", "pc", "pq"]


class _Late(ModuleType):
    """Stands for a module, which is loaded once something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        module = import_module(self.__name__)
        self.__dict__.update(vars(module))  # from now on nothing comes this way
        return getattr(module, name)


if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq
else:
    pa, pc, pa_csv, pq = map(_Late, ("pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet"))
