"""Results and checkpoints that were damaged or edited, and what a user does with them then.

Run as a script in a process of its own, because libraries in C may abort or hang:

    python mutations.py FOLDER FIRST STOP LOG

tries the mutations FIRST to STOP of the originals in FOLDER, which `make_originals` wrote, and logs
each before it begins and when it has ended. Every number is one mutation, always the same.
"""

import json
import random
import shutil
import sys
import traceback
import warnings
from functools import partial
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import xvcluster
from xvcluster.methods import checkpoint
from xvcluster.record.seal import SEAL

OTHER_VALUES = (
    None, True, "", "text", "\x1b[2J\x07", -1, 0, 1.5, -1e300, 1e300, 10**30, float("nan"), [], {},
    [1, 2, 3], ["a", 1], {"a": {}}, "[" * 5000,
)  # fmt: skip
OTHER_ATTRIBUTES = (
    7, -1.5, float("nan"), float("inf"), "", "text", "\x1b[31mred\r\n", np.arange(3), np.zeros(2),
    "[" * 100_000, "{}", "[]", "null", '"text"', "NaN", "x" * 10_000_000, 2**60,
)  # fmt: skip
NOT_FINITE = (np.nan, np.inf, -np.inf, 1e300, -1e300)
FINITE = (0.0, -1.0, 1e20, -1e20, 1e-300)


def make_model():
    """Two variables that vary smoothly, with a column of no data and one with a gap."""
    rng = np.random.default_rng(0)
    shape = (5, 6, 7)
    values = 3.0 + rng.normal(0.0, 0.3, shape).cumsum(axis=0) + 0.2 * np.arange(7)
    values[:, 0, 0] = np.nan
    values[2, 3, 4] = np.nan
    coords = {
        "depth": ("depth", 10.0 * np.arange(5), {"units": "km", "positive": "down"}),
        "latitude": ("latitude", 35.0 + np.arange(6), {"units": "degrees_north"}),
        "longitude": ("longitude", -120.0 + np.arange(7), {"units": "degrees_east"}),
    }
    dims = ("depth", "latitude", "longitude")
    vs = xr.DataArray(values, coords, dims, attrs={"units": "km/s", "long_name": "velocity"})
    rho = (2000 + 200 * vs + rng.normal(0.0, 60.0, shape)).assign_attrs(units="kg m-3")
    return xr.Dataset({"vs": vs, "rho": rho}, attrs={"title": "made", "history": "made up"})


def matched(model):
    """A result with an empty cluster."""
    reference = xr.full_like(model["vs"][0], 1.0, dtype=int).rename("label")
    reference[:, 3:], reference[4:] = 2, 6
    return model["vs"].vcluster.kmeans(3).match(reference)


NORMALIZED = ("anomaly", "percent", "level", "profile", "variable")
ORIGINALS = {
    "kmeans": lambda m: m["vs"].vcluster.kmeans(4),
    "two": lambda m: m.vcluster.kmeans(4),
    "raster": lambda m: m["vs"].isel(depth=0, drop=True).vcluster.kmeans(3),
    "sweep": lambda m: m["vs"].vcluster.kmeans(k_range=range(2, 7)),
    "weighted": lambda m: m["vs"].vcluster.kmeans(3, weights="area", level_weights="thickness"),
    "matched": matched,
    "stable": lambda m: m["vs"].vcluster.kmeans(3).stability(n=3),
    **{f"kmeans {n}": lambda m, n=n: m["vs"].vcluster.kmeans(3, normalize=n) for n in NORMALIZED},
    "dtw": lambda m: m["vs"].vcluster.kmeans(3, metric="dtw"),
    "dtw level": lambda m: m.vcluster.kmeans(3, metric="dtw", normalize="level"),
    "dtw profile": lambda m: m["vs"].vcluster.kmeans(3, metric="dtw", normalize="profile"),
    "softdtw": lambda m: m["vs"].vcluster.kmeans(2, metric="softdtw", n_init=1, max_iter=3),
    "som": lambda m: m["vs"].vcluster.som((2, 3), algorithm="online", n_iterations=300),
    "merged": lambda m: m.vcluster.som((3, 3), n_clusters=3, algorithm="online", n_iterations=300),
    "som profile": lambda m: m["vs"].vcluster.som((2, 3), algorithm="batch", normalize="profile"),
    **{
        f"gmm {c}": lambda m, c=c: m["vs"].vcluster.gmm(3, covariance=c)
        for c in ("full", "tied", "diag", "spherical")
    },
}


def data_of(name, model):
    """The data that an original was made from."""
    if name == "raster":
        return model["vs"].isel(depth=0, drop=True)
    return model if name in {"two", "dtw level", "merged"} else model["vs"]


def make_originals(folder):
    """Write every original as NetCDF and as Zarr, with a checkpoint and the labels they give."""
    model = make_model()
    model.to_netcdf(folder / "model.nc")
    labels = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in ORIGINALS.items():
            result = make(model)
            result.to_netcdf(folder / f"{name}.nc")
            result.to_zarr(folder / f"{name}.zarr")
            labels[name] = result.predict(data_of(name, model)).values
            labels[f"map of {name}"] = result.labels.values
        found = model["vs"].vcluster.kmeans(4, checkpoint=folder / "fit.npz")
        labels["fit"] = found.labels.values
    np.savez(folder / "labels.npz", **labels)


# each of these changes a raw Dataset, and says what it did


def change_attribute(rng, raw, sealed):
    holders = [raw, *raw.variables.values()]
    holder = rng.choice([h for h in holders if h.attrs])
    name = rng.choice([n for n in holder.attrs if n != SEAL or holder.attrs.keys() == {SEAL}])
    if rng.random() < 0.3:
        del holder.attrs[name]
        return raw, f"dropped attribute {name}"
    value = rng.choice(OTHER_ATTRIBUTES)
    holder.attrs[name] = value
    return raw, f"attribute {name} = {str(value)[:20]!r}"


def change_parameter(rng, raw, sealed):
    known = json.loads(raw.attrs["parameters"])
    name = rng.choice(list(known))
    action = rng.choice(("drop", "rename", "change", "change", "change"))
    before = known.pop(name)
    if action == "rename":
        known[name + "_"] = before
    if action == "change":
        known[name] = value = rng.choice(OTHER_VALUES)
        action = f"= {str(value)[:20]!r}"
    raw.attrs["parameters"] = json.dumps(known)
    return raw, f"parameter {name} {action}"


def change_text(rng, raw, sealed):
    """Parameters that are no JSON, or cut off."""
    text = raw.attrs["parameters"]
    choice = rng.choice((text[: len(text) // 2], text + "}", "[" * 200_000, "{" * 20, text[1:-1]))
    raw.attrs["parameters"] = choice
    return raw, f"parameters are {choice[:10]!r}…"


def drop_variable(rng, raw, sealed):
    name = rng.choice(list(raw.variables))
    return raw.drop_vars(name), f"dropped {name}"


def rename_variable(rng, raw, sealed):
    name = rng.choice(list(raw.variables))
    other = rng.choice(("other", name + "_", name.upper()))
    return raw.rename_vars({name: other}), f"renamed {name} to {other}"


def change_type(rng, raw, sealed):
    name = rng.choice(list(raw.variables))
    dtype = rng.choice(("int32", "int8", "float32", "float64", "str", "uint16"))
    with np.errstate(all="ignore"):
        values = raw[name].values.astype(dtype)
    return replace_values(raw, name, values), f"{name} as {dtype}"


def change_values(rng, raw, sealed):
    name = rng.choice([n for n, v in raw.variables.items() if v.size and v.dtype.kind in "fiu"])
    values = raw[name].values.copy()
    value = rng.choice(NOT_FINITE + (FINITE if sealed or name not in decisive(raw) else ()))
    if values.dtype.kind in "iu":
        value = rng.choice((0, -1, 99, np.iinfo(values.dtype).max, np.iinfo(values.dtype).min))
    at = rng.choice((Ellipsis, rng.randrange(values.size)))
    with np.errstate(all="ignore"):
        if at is Ellipsis:
            values[...] = value
        else:
            values.flat[at] = value
    return replace_values(raw, name, values), f"{name}[{at}] = {value}"


def rearrange(rng, raw, sealed):
    """Reverse, shuffle or stretch values, which only checksums notice."""
    held = [n for n, v in raw.variables.items() if v.size > 1 and v.dtype.kind in "fiu"]
    names = held if sealed else [n for n in held if n not in decisive(raw)]
    name = rng.choice(names)
    values, action = raw[name].values, rng.choice(("reversed", "shuffled", "stretched"))
    if action == "stretched":
        values = (values * 1.5).astype(values.dtype)
    else:
        order = np.arange(values.size)[::-1].tolist()
        if action == "shuffled":
            rng.shuffle(order)
        values = values.ravel()[order].reshape(values.shape)
    return replace_values(raw, name, values), f"{action} {name}"


def change_dimensions(rng, raw, sealed):
    name = rng.choice([n for n, v in raw.variables.items() if v.ndim])
    own = raw[name].variable
    dim = rng.choice(own.dims)
    actions = {
        "one of": lambda: own.isel({dim: 0}),
        "none of": lambda: own.isel({dim: slice(0)}),
        "fewer of": lambda: own.isel({dim: slice(own.sizes[dim] - 1)}),
        "more of": lambda: xr.Variable(
            own.dims, np.concatenate([own, own], own.get_axis_num(dim)), own.attrs
        ),
        "transposed": lambda: own.transpose(*own.dims[::-1]),
        "more dimensions of": lambda: xr.concat([own, own], "extra"),
        "other names of": lambda: xr.Variable([d + "_" for d in own.dims], own.values, own.attrs),
    }
    action = rng.choice(list(actions))
    changed = actions[action]()
    clash = [d for d, n in changed.sizes.items() if raw.sizes.get(d, n) != n]
    changed = xr.Variable(
        [d + "2" if d in clash else d for d in changed.dims], changed.values, own.attrs
    )
    return raw.drop_vars(name).assign({name: changed}), f"{action} {name} along {dim}"


def change_all_along(rng, raw, sealed):
    """The whole Dataset along one dimension."""
    dim = rng.choice(list(raw.sizes))
    n = raw.sizes[dim]
    choices = {"none": slice(0), "twice": [*range(n), *range(n)]}
    if sealed or dim not in {"depth", "component"}:  # which a user may select
        choices |= {"reversed": slice(None, None, -1), "fewer": slice(n - 1)}
    action = rng.choice(list(choices))
    return raw.isel({dim: choices[action]}), f"{dim} {action}"


def swap_variables(rng, raw, sealed):
    held = list(raw.variables) if sealed else [n for n in raw.variables if n not in decisive(raw)]
    pairs = [(a, b) for a in held for b in held if a < b and raw[a].shape == raw[b].shape]
    first, second = rng.choice(pairs)
    one, other = raw[first].values, raw[second].values
    return replace_values(replace_values(raw, first, other), second, one), f"{first} ⇄ {second}"


def add_variable(rng, raw, sealed):
    vertical = [("depth",)] if "depth" in raw.dims else []
    dims = rng.choice([("cluster",), *vertical])
    name = rng.choice(("level_weight", "vs_node_offset", "vs_node_scale", "sweep_x", "area"))
    shape = [raw.sizes[d] for d in dims]
    return raw.assign({name: (dims, np.full(shape, 2.0))}), f"added {name} on {dims}"


DATASET_MUTATIONS = (
    change_attribute, change_attribute, change_parameter, change_parameter, change_text,
    drop_variable, rename_variable, change_type, change_values, change_values, rearrange,
    change_dimensions, change_dimensions, change_all_along, swap_variables, add_variable,
)  # fmt: skip


def decisive(raw):
    """Names of what decides labels, even if the parameters are damaged."""
    parts = ("vs", "rho", "component_", "node_cluster", "level_weight", "depth")
    kept = ("_std", "_quantile")
    return [n for n in raw.variables if n.startswith(parts) and not n.endswith(kept)]


def replace_values(raw, name, values):
    own = raw.variables[name]
    return raw.drop_vars(name).assign({name: xr.Variable(own.dims, values, own.attrs)})


def mutate_dataset(rng, source, target, kind):
    """Write a mutation of a result as a Dataset."""
    options = {"engine": "zarr", "consolidated": False} if kind == "zarr" else {}
    with xr.open_dataset(source, decode_cf=False, **options) as opened:
        raw = opened.load().drop_encoding()
    sealed = rng.random() < 0.6
    if not sealed:
        del raw.attrs[SEAL]
    while True:
        try:
            changed, said = rng.choice(DATASET_MUTATIONS)(rng, raw.copy(), sealed)
            write(changed, target, kind)
        except Exception:  # it cannot be written so: another one
            continue
        return f"{'sealed' if sealed else 'unsealed'}: {said}"


def write(raw, target, kind):
    if kind == "zarr":
        shutil.rmtree(target, ignore_errors=True)
        raw.to_zarr(target, mode="w", consolidated=False, write_empty_chunks=True)
    else:
        raw.to_netcdf(target, engine="netcdf4")


def mutate_bytes(rng, path):
    """Damage a file."""
    content = bytearray(path.read_bytes())
    action = rng.choice(("cut", "flip", "flip", "flip", "zero", "empty"))
    start = rng.randrange(max(len(content), 1))
    if action == "cut":
        content = content[:start]
    if action == "flip":
        for _ in range(rng.choice((1, 1, 20))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    if action == "zero":
        content[start : start + 64] = bytes(len(content[start : start + 64]))
    path.write_bytes(b"" if action == "empty" else content)
    return f"{action} {path.name} at {start}"


def mutate_metadata(rng, path):
    """Change one entry of the metadata of a store."""
    metadata = holder = json.loads(path.read_text())
    while True:
        key = rng.choice(list(holder) if isinstance(holder, dict) else list(range(len(holder))))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or key == SEAL or rng.random() < 0.3:
            break
        holder = inner
    action = rng.choice(("drop", "change", "change"))
    if action == "drop":
        del holder[key]
    else:
        holder[key] = rng.choice(OTHER_VALUES)
    path.write_text(json.dumps(metadata))
    return f"{path.parent.name}/zarr.json: {action} {key}"


def mutate_store(rng, target):
    """Damage the files of a store."""
    files = sorted(p for p in target.rglob("*") if p.is_file())
    path = rng.choice(files)
    action = rng.choice(("metadata", "metadata", "bytes", "remove", "folder"))
    if action == "metadata":
        return mutate_metadata(rng, rng.choice([p for p in files if p.name == "zarr.json"]))
    if action == "bytes" and path.stat().st_size:
        what = "metadata" if path.name == "zarr.json" else f"chunk of {path.parts[-3:-1]}"
        return f"{what}: {mutate_bytes(rng, path)}"
    path.unlink()
    if action == "folder":
        path.mkdir()
    return f"{action} {path.relative_to(target)}"


def mutate_checkpoint(rng, path):
    """Damage or forge a checkpoint; a forged one has the right checksum."""
    if rng.random() < 0.3:
        return mutate_bytes(rng, path)
    with np.load(path) as file:
        said = str(file["about"][0])
        arrays = {n: file[n] for n in file.files if n != "about"}
    about, state = json.loads(said)
    name, number = "centroids_4", arrays["centroids_4"].copy()
    actions = {
        "NaN": lambda: np.where(np.arange(5)[:, None] == 2, np.nan, number),
        "inf": lambda: np.full_like(number, np.inf),
        "fewer": lambda: number[:2],
        "more": lambda: np.concatenate([number, number]),
        "fewer levels": lambda: number[:, :2],
        "no levels": lambda: number[:, :0],
        "flat": lambda: number.reshape(4, -1),
        "integers": lambda: number.astype(int),
        "float32": lambda: number.astype("float32"),
        "text": lambda: number.astype(str),
        "objects": lambda: number.astype(object),
    }
    action = rng.choice([*actions, "no array", "another k", "state", "about"])
    if action in actions:
        arrays[name] = actions[action]()
    elif action == "no array":
        del arrays[name]
    elif action == "another k":
        arrays, state = {"centroids_3": number[:3]}, {"3": state["4"]}
    elif action == "state":
        key = rng.choice(list(state["4"]))
        state["4"][key] = rng.choice(OTHER_VALUES)
    else:
        about = rng.choice(OTHER_VALUES)
    said = json.dumps([about, state])
    plain = {n: a if a.dtype != object else np.zeros(1) for n, a in arrays.items()}
    sums = checkpoint._checksum(said, plain)
    with path.open("wb") as file:
        np.savez(file, about=np.array([said, sums]), **arrays)
    return f"forged: {action}"


def mutate(number, folder, target):
    """Make the mutation of a number: its original, where it is, and what was changed."""
    rng = random.Random(number)
    kind = rng.choice(("nc", "nc", "nc bytes", "zarr", "zarr files", "fit"))
    if kind == "fit":
        path = target / "fit.npz"
        shutil.copy(folder / "fit.npz", path)
        return "fit", path, mutate_checkpoint(rng, path)
    name, ending = rng.choice(list(ORIGINALS)), kind.split()[0]
    source, path = folder / f"{name}.{ending}", target / f"result.{ending}"
    if kind in {"nc", "zarr"}:
        return name, path, mutate_dataset(rng, source, path, kind)
    if kind == "nc bytes":
        shutil.copy(source, path)
        return name, path, mutate_bytes(rng, path)
    shutil.copytree(source, path)
    return name, path, mutate_store(rng, path)


class Refusals:
    """Calls what a user calls; counts refusals in a sentence, and lets all else through."""

    def __init__(self):
        self.said = []

    def __call__(self, call):
        try:
            return call()
        except (ValueError, FileNotFoundError) as error:
            text = str(error)
            if len(text) < 25 or not text.isprintable() or len(text) > 2000:
                raise
            self.said.append(text)
            return None


def use(result, data, other, folder, ask):
    """Do with a result what users do; give the labels that it predicts."""
    predicted = ask(lambda: result.predict(data).values)
    attributes = ("labels", "parameters", "n_clusters", "inertia", "centroids", "model")
    for name in attributes:
        ask(partial(getattr, result, name))
    for call in (
        result.__repr__, result._repr_html_, result.table, result.labels.load,
        partial(result.select, 1), partial(result.stability, n=2),
        partial(result.match, other), partial(other.match, result),
        partial(xvcluster.consensus, [other, result]),
        result.plot.map, partial(result.plot.map, certainty="margin"),
        result.plot.profiles, result.plot.summary, result.plot.som, result.boundaries,
        partial(result.to_netcdf, folder / "again.nc"),
        partial(result.to_zarr, folder / "again.zarr"),
    ):  # fmt: skip
        ask(call)
        plt.close("all")
    return predicted


def attempt(number, folder, target, labels, model, others):
    """Try one mutation: its outcome, and what was done and said."""
    name, path, said = mutate(number, folder, target)
    ask = Refusals()
    if name == "fit":
        result = ask(lambda: model["vs"].vcluster.kmeans(4, checkpoint=path))
        predicted = None if result is None else result.labels.values
    else:
        result = ask(lambda: xvcluster.open_result(path))
        data = data_of(name, model)
        predicted = None
        if result is not None:
            predicted = use(result, data, others(name), target, ask)
    outcome = "harmless"
    if predicted is None:
        outcome = "refused"
    elif not np.array_equal(predicted, labels[name], equal_nan=True):
        outcome = "other labels"
    elif said.startswith("chunk") and not is_same_map(ask, result, labels[f"map of {name}"]):
        outcome = "another map"
    return outcome, f"{name} {path.suffix}: {said}", ask.said[:1]


def is_same_map(ask, result, expected):
    """Whether the labels are as they were, or refuse to be read."""
    found = ask(lambda: result.labels.values)
    return found is None or np.array_equal(found, expected, equal_nan=True)


def main(folder, first, stop, log):
    """Try some mutations, and log each before and after."""
    mpl.use("Agg")
    warnings.simplefilter("ignore")
    model = xr.load_dataset(folder / "model.nc")
    with np.load(folder / "labels.npz") as file:
        labels = dict(file)
    opened = {}

    def others(name):
        name = "merged" if name == "two" else "kmeans"
        if name not in opened:
            opened[name] = xvcluster.open_result(folder / f"{name}.nc")
        return opened[name]

    for number in range(first, stop):
        print(json.dumps([number, "began"]), file=log, flush=True)
        target = folder / f"mutation {number}"
        target.mkdir()
        try:
            outcome, done, said = attempt(number, folder, target, labels, model, others)
        except Exception:
            outcome, done, said = "other", "", [traceback.format_exc()]
        shutil.rmtree(target)
        print(json.dumps([number, outcome, done, said]), file=log, flush=True)


if __name__ == "__main__":
    with Path(sys.argv[4]).open("a") as log:
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), log)
