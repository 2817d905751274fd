"""Methods made of functions."""

import inspect

import pytest

from xvcluster.delegate import delegate


def weigh(data, factor=2, *, unit: str = "kg") -> str:
    """Weigh the data."""
    return f"{data * factor} {unit}"


class Holder:
    def __init__(self, data):
        self._data = data

    weigh = delegate(weigh)


def test_delegate_hands_on_the_data_and_all_arguments():
    assert Holder(3).weigh() == "6 kg"
    assert Holder(3).weigh(3, unit="t") == "9 t"


def test_delegate_keeps_name_docstring_and_signature():
    assert Holder.weigh.__name__ == "weigh"
    assert Holder.weigh.__doc__ == "Weigh the data."
    assert str(inspect.signature(Holder(3).weigh)) == "(factor=2, *, unit: str = 'kg') -> str"
    assert next(iter(inspect.signature(Holder.weigh).parameters)) == "self"


def test_delegate_refuses_what_the_function_refuses():
    with pytest.raises(TypeError, match="unexpected keyword argument 'mass'"):
        Holder(3).weigh(mass=3)
