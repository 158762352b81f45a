"""What is found in datasets in the wild, and what augx does about it: the rows of the table in the docs, each with
tiny datasets that show it. `test_wild.py` runs them all; those of one row must all come to the same.
"""

from __future__ import annotations

from wild_data import GOOD, INF, LEFT, NAN, Flaw, boxes

BOXES = (
    Flaw("a box that sticks out", "repaired", "box-clipped", boxes(-5, 5, 12, 35), "it is cut at the edge",
         boxes=((0, 5, 12, 25), *LEFT)),
    Flaw("a box outside the image", "dropped", "box-outside", boxes(50, 5, 60, 12), boxes=LEFT),
    Flaw("a box without width or height", "dropped", "box-empty", boxes(5, 5, 5, 12), boxes=LEFT),
    Flaw("a box with reversed corners, or of negative size", "repaired", "box-reversed",
         boxes(12, 15, 4, 5, without=("labelme",)), "its corners are put in order", boxes=((4, 5, 8, 10), *LEFT)),
    Flaw("a box with NaN", "dropped", "not-finite", boxes(NAN, 5, 12, 15), boxes=LEFT),
    Flaw("a box with infinity", "dropped", "not-finite", boxes(5, 5, INF, 15), boxes=LEFT),
    Flaw("a box of 10^300 pixels", "dropped", "not-finite", boxes(5, 5, 1e300, 15), boxes=LEFT),
)  # fmt: skip

FLAWS = (*BOXES,)
