"""The rules of the package's structure, read from its source."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import xvcluster
from xvcluster import boundaries, plot, seisgo, tutorial
from xvcluster.record import method

ROOT = Path(xvcluster.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py"))
# from the top down; a package counts as one module, and each may import what is below it
LAYERS = (
    {"__main__"},
    {"cli"},
    {"xvcluster"},
    {"accessor", "seisgo"},
    {"methods"},
    {"result"},
    {"agreement", "explore", "export"},
    {"choose", "compare", "plot", "regroup"},
    {"boundaries"},
    {"record"},
    {"prepare"},
    {"profiles"},
    {"grid"},
    {"progress"},
    {"algorithms"},
    {"kernels"},
    {"delegate", "extras", "inputs", "options", "tutorial"},
    {"arrays", "messages"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def name_of(path):
    """Dotted name of a module, without that of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "xvcluster"


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree):
    """Modules that a module imports, be it in a function or for its types only."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            is_module = [is_own_module(f"{node.module}.{alias.name}") for alias in node.names]
            for alias, module in zip(node.names, is_module, strict=True):
                found.add(f"{node.module}.{alias.name}" if module else node.module)
    return found


def is_own_module(dotted):
    return dotted.startswith("xvcluster.") and dotted.removeprefix("xvcluster.") in NAMES


def own_imports(path):
    """Names of the package's modules that a module imports, without that of the package."""
    found = {n for n in imports_of(tree_of(path)) if n.split(".")[0] == "xvcluster"}
    return {n.removeprefix("xvcluster.") for n in found}


NAMES = {name_of(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    own = name_of(path).split(".")[0]
    assert own in RANK, f"{own} has no place in LAYERS yet"
    for imported in sorted({name.split(".")[0] for name in own_imports(path)} - {own}):
        assert RANK[imported] > RANK[own], f"{name_of(path)} imports {imported}, from above"


def test_no_modules_import_each_other():
    graph = {name_of(path): own_imports(path) & NAMES - {name_of(path)} for path in MODULES}
    while graph:
        free = [name for name, needed in graph.items() if not needed & graph.keys() - {name}]
        assert free, f"import cycle among {', '.join(sorted(graph))}"
        graph = {name: needed for name, needed in graph.items() if name not in free}


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parent.name in {"kernels", "algorithms"}], ids=name_of
)
def test_kernels_and_algorithms_never_see_labelled_arrays(path):
    roots = {name.split(".")[0] for name in imports_of(tree_of(path))}
    assert not roots & {"xarray", "pandas", "matplotlib"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name == "plot"], ids=name_of)
def test_plots_take_datasets_and_never_cluster(path):
    assert not {name.split(".")[0] for name in own_imports(path)} & {"methods", "algorithms"}


@pytest.mark.parametrize(
    "path", [p for p in MODULES if name_of(p).split(".")[0] != "profiles"], ids=name_of
)  # fmt: skip
def test_only_profiles_stacks(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and node.attr in {"stack", "unstack"}:
            assert ast.unparse(node.value) == "np", f"line {node.lineno}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if name_of(p).split(".")[0] != "methods"], ids=name_of
)  # fmt: skip
def test_nobody_but_the_methods_asks_for_a_method_by_its_name(path):
    names = set(method._METHODS)
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Compare):
            compared = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            assert not compared & names, f"line {node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_their_public_names_have_docstrings(path):
    tree = tree_of(path)
    if tree.body:
        assert ast.get_docstring(tree), "the module has none"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            public = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            for method in public:
                has_that_of_another = any(
                    ast.unparse(d).startswith(("_like", "overload")) for d in method.decorator_list
                )
                if not method.name.startswith("_") and not has_that_of_another:
                    assert ast.get_docstring(method), f"{node.name}.{method.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


def find_public_functions():
    for module in (xvcluster, boundaries, plot, seisgo, tutorial):
        names = getattr(module, "__all__", None) or vars(module)
        for name in names:
            function = getattr(module, name)
            own = inspect.isfunction(function) and function.__module__.startswith("xvcluster")
            if own and not name.startswith("_"):
                yield pytest.param(function, id=f"{module.__name__}.{name}")


PUBLIC_FUNCTIONS = list(find_public_functions())


@pytest.mark.parametrize("function", PUBLIC_FUNCTIONS)
def test_public_functions_tell_parameters_returns_and_an_example(function):
    sections = re.findall(r"^(\w[\w ]*)\n-{3,}$", inspect.getdoc(function), re.MULTILINE)
    assert "Returns" in sections
    assert "Examples" in sections
    if inspect.signature(function).parameters:
        assert "Parameters" in sections


@pytest.mark.parametrize("function", PUBLIC_FUNCTIONS)
def test_public_functions_describe_every_parameter(function):
    text = inspect.getdoc(function)
    for name in inspect.signature(function).parameters:
        assert re.search(rf"^[\w*, ]*\b{name}\b[\w, *]*( :|$)", text, re.MULTILINE), name
