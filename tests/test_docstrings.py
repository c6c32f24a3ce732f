"""What a package exports is documented in full: every parameter, and what comes back.

``make lint`` lets small functions inside a package speak in one line; an exported name is read by people who
have not read the file.
"""

import inspect
from importlib import import_module

import pytest
from numpydoc.validate import validate

from tests.conftest import REPOSITORY

PACKAGES = sorted(f"gradsim.{path.parent.name}" for path in (REPOSITORY / "gradsim").glob("*/__init__.py"))
FAULTS = {"GL08", "PR01", "PR02", "RT01", "YD01"}


def exported_functions(package):
    module = import_module(package)
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name)
        if inspect.isroutine(thing):
            yield f"{package}.{name}"
        elif inspect.isclass(thing):
            for method, value in vars(thing).items():
                # Only Qt overrides are camelCase, and Qt documents them.
                if inspect.isfunction(value) and method.islower() and not method.startswith("_"):
                    yield f"{package}.{name}.{method}"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_function_and_method_is_documented_in_full(package):
    faults = [
        f"{name}: {code} {sentence}"
        for name in exported_functions(package)
        for code, sentence in validate(name)["errors"]
        if code in FAULTS
    ]
    assert faults == []
