"""Results as notebooks show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xvcluster.messages import escaped, plain

if TYPE_CHECKING:
    import pandas as pd


def to_html(kind: str, said: list[str], table: pd.DataFrame, dataset: xr.Dataset) -> str:
    """Show sentences, a table of numbers and a Dataset, in which nothing is markup of a file."""
    first, *others = (escaped(sentence, 1000) for sentence in said)
    paragraphs = "".join(f"<p>{text}</p>" for text in (f"<b>{kind}</b>: {first}", *others))
    rows = table.to_html(float_format=lambda x: f"{x:,.3g}", border=0)
    shown = dataset.copy()
    for owner in (shown, *(shown[name] for name in shown.variables)):
        owner.attrs = {k: plain(v, 1000) for k, v in owner.attrs.items()}
    return f"{paragraphs}{rows}{shown._repr_html_()}"
