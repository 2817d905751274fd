"""Make ``docs/_static/rooms.svg``: the rooms of the package and who imports whom.

Run by hand when the structure has changed:

    python docs/make_rooms.py

A room is a package or a lone module of ``xvcluster``; its floor is one above the highest room that
it imports, so every arrow runs down. An arrow is left out if a chain of others says the same.
"""

import ast
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent / "xvcluster"
TARGET = Path(__file__).resolve().parent / "_static" / "rooms.svg"
GROUND = {
    "arrays",
    "delegate",
    "extras",
    "inputs",
    "messages",
    "options",
    "progress",
    "tutorial",
}
INK, PALE, EDGE = "#22384f", "#dfe8f1", "#9fb6cc"


def room_of(dotted: str) -> str:
    """The room of a module: its package, or itself."""
    return dotted.split(".")[1] if "." in dotted else "xvcluster"


def read_rooms() -> tuple[dict[str, int], dict[str, set[str]]]:
    """Lines of each room, and the rooms that it imports."""
    lines: dict[str, int] = {}
    imports: dict[str, set[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        room = room_of(".".join(p for p in parts if p != "__init__"))
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines[room] = lines.get(room, 0) + text.count("\n")
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and "xvcluster" in {n.name for n in node.names}:
                imports.setdefault(room, set()).add("xvcluster")
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("xvcluster"):
                module = str(node.module)
                names = (
                    [f"{module}.{n.name}" for n in node.names] if "." not in module else [module]
                )
                imports.setdefault(room, set()).update(room_of(name) for name in names)
    return lines, {room: imports.get(room, set()) - {room} for room in lines}


def find_floors(imports: dict[str, set[str]]) -> dict[str, int]:
    """The floor of each room: one above the highest that it imports."""
    floors: dict[str, int] = {}

    def floor(room: str) -> int:
        if room not in floors:
            floors[room] = 1 + max((floor(below) for below in imports[room]), default=0)
        return floors[room]

    for room in imports:
        floor(room)
    return floors


def reduce(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out the imports that follow from a chain of others."""

    def reach(room: str) -> set[str]:
        return imports[room].union(*(reach(below) for below in imports[room]))

    return {
        room: below - set().union(*(reach(other) for other in below))
        for room, below in imports.items()
    }


def main() -> None:
    """Draw the rooms, floor by floor."""
    lines, imports = read_rooms()
    for room in GROUND:  # used everywhere; their arrows would hide the others
        lines.pop(room)
        imports.pop(room)
    imports = {room: below - GROUND for room, below in imports.items()}
    floors = find_floors(imports)
    imports = reduce(imports)
    mpl.rcParams["svg.hashsalt"] = "rooms"  # the same file from the same code
    figure, ax = plt.subplots(figsize=(7.2, 0.82 * max(floors.values()) + 0.5))
    places = {}
    for floor in set(floors.values()):
        rooms = sorted(room for room in floors if floors[room] == floor)
        for i, room in enumerate(rooms):
            places[room] = ((i + 0.5) / len(rooms) + 0.055 * (-1) ** floor, floor)
    for room, below in imports.items():
        (x, y) = places[room]
        for other in below:
            (x_other, y_other) = places[other]
            bend = 0.1 if y - y_other > 1 else 0.0
            ax.annotate(
                "", (x_other, y_other + 0.24), (x, y - 0.24),
                arrowprops={
                    "arrowstyle": "-|>", "color": EDGE, "linewidth": 0.8,
                    "shrinkA": 0, "shrinkB": 0,
                    "connectionstyle": f"arc3,rad={bend if x <= x_other else -bend}",
                },
            )  # fmt: skip
    for room, (x, y) in places.items():
        half = 0.06 + 0.05 * (lines[room] / max(lines.values())) ** 0.5
        ax.add_patch(
            plt.Rectangle(
                (x - half, y - 0.24), 2 * half, 0.48, facecolor=PALE, edgecolor=INK, zorder=3
            )
        )
        ax.text(x, y + 0.06, room, ha="center", va="center", color=INK, fontsize=9.5, zorder=4)
        ax.text(
            x, y - 0.13, f"{lines[room]:,} lines", ha="center", va="center", color=INK, fontsize=6,
            zorder=4,
        )  # fmt: skip
    ax.text(
        0.5, 0.42, f"used everywhere: {', '.join(sorted(GROUND))}", ha="center", va="center",
        fontsize=7.5, color=INK,
    )  # fmt: skip
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(0.2, max(floors.values()) + 0.4)
    ax.axis("off")
    figure.savefig(TARGET, bbox_inches="tight", metadata={"Date": None})
    print(f"Wrote {TARGET}")


if __name__ == "__main__":
    main()
