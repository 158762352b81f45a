"""What a recipe says besides its transforms: nodes -> the options of `model`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from augx.errors import Problem
from augx.model import ImageOptions, LabelOptions, Limits, Override, RejectOptions, SplitOptions, TarOptions
from augx.steps import Steps
from augx.transforms.catalog import TRANSFORMS
from augx.yamlfile import Node, is_number

MAX_COPIES = 100_000
MAX_SEED = 2**63 - 1
MAX_BALANCE = 10**9
MAX_LIMIT = 2**63 - 1

Balance = str | int | Mapping[str, int]
LABEL_KEYS = (
    "min_visibility", "min_area", "min_size", "boxes", "pixels", "keypoint_pairs", "ignore", "values", "hard",
)  # fmt: skip
LIMIT_KEYS = tuple(f.name for f in dataclasses.fields(Limits))
IMAGE_KEYS = tuple(f.name for f in dataclasses.fields(ImageOptions))
TAR_KEYS = tuple(f.name for f in dataclasses.fields(TarOptions))
MAX_TAR_IMAGES = 10**9
MAX_TAR_BYTES = 1 << 40
SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
FORMATS = ("keep", "jpeg", "jpg", "png", "webp", "bmp", "tiff", "tif")
_SAME_FORMAT = {"jpg": "jpeg", "tif": "tiff"}
SUBSAMPLING = ("4:4:4", "4:2:2", "4:2:0")
_USED_BY = {
    "quality": ("keep", "jpeg", "webp"),
    "subsampling": ("keep", "jpeg"),
    "png_level": ("keep", "png"),
    "lossless": ("keep", "webp"),
}


class Options(Steps):
    """Nodes -> options. `least_copies` is 0 for what augx itself has written."""

    def __init__(
        self, file: str, problems: Iterable[Problem] = (), least_copies: int = 1, written: bool = False
    ) -> None:
        super().__init__(file, problems, written)
        self.least_copies = least_copies

    def copies(self, node: Node | None) -> int:
        if node is not None and is_number(node) and node.value == 0 and self.least_copies:
            self.error(node, "copies: 0 makes nothing new", f"1 to {MAX_COPIES}")
            return 1
        return self.whole(node, "copies", self.least_copies, MAX_COPIES, 10)

    def splits(self, node: Node | None) -> tuple[str, ...]:
        default = ("train",)
        if node is None or not node.ok:
            return default
        if not isinstance(node.value, list):
            name = node.value if isinstance(node.value, str) and node.value.isalnum() else "train"
            self.error(node, f"splits must be a list of names, not {node}", f"write [{name}]")
            return default
        if not node.value:
            self.error(node, "splits names no split", "leave it out for [train]")
        return self.names(node, "split")

    def names(self, node: Node | None, what: str) -> tuple[str, ...]:
        """A name, or a list of names that differ."""
        if node is None or not node.ok:
            return ()
        names: list[str] = []
        for n in node.value if isinstance(node.value, list) else [node]:
            if not n.ok:
                continue
            if not isinstance(n.value, str) or not n.value:
                self.error(n, f"a {what} must be a name, not {n}", "put it in quotes if it is meant as a name")
            elif n.value in names:
                self.error(n, f"the {what} {n} is there twice", "keep one of them")
            else:
                names.append(n.value)
        return tuple(names)

    def split(self, node: Node | None) -> SplitOptions | None:
        """`{val: 0.1, test: 0.1, by: patient_id, stratify: true}`"""
        if node is None or not node.ok or node.value is None:
            return None
        if isinstance(node.value, (list, str)):
            self.error(node, f"split must be a mapping, not {node}", "like {val: 0.1}; what is multiplied is 'splits'")
            return None
        given, under = self.mapping(node, "split", ("val", "test", "by", "stratify")), "split."
        by = given.get("by")
        said = None if by is None else by.value
        if by is not None and said is not None and not (isinstance(said, str) and said):
            self.error(by, f"split.by cannot be {by}", "a column, or a regular expression for file names")
        split = SplitOptions(
            val=self.number(given.get("val"), under + "val", 0, 1, 0.0),
            test=self.number(given.get("test"), under + "test", 0, 1, 0.0),
            by=said if isinstance(said, str) else None,
            stratify=self.boolean(given.get("stratify"), under + "stratify", False),
        )
        if isinstance(node.value, dict) and not 0 < split.val + split.test < 1:
            self.error(node, f"split sets {split.val + split.test:g} of the images apart", "like {val: 0.1, test: 0.1}")
        return split

    def balance(self, node: Node | None) -> Balance:
        if node is None or not node.ok:
            return "none"
        if isinstance(node.value, dict):
            return {
                name: self.whole(number, f"balance.{name}", 1, MAX_BALANCE, 1)
                for name, (_, number) in node.value.items()
            }
        if is_number(node):
            return self.whole(node, "balance", 1, MAX_BALANCE, 1)
        if node.value not in ("none", "max"):
            self.error(node, f"balance cannot be {node}", "none, max, a number for every class, or {class: number}")
            return "none"
        return str(node.value)

    def overrides(self, node: Node | None) -> tuple[Override, ...]:
        """A list of `{when: {class: [..], split: [..]}, copies: .., transforms: [..]}`; the first that fits holds."""
        if node is None or not node.ok or node.value is None:
            return ()
        if not isinstance(node.value, list):
            self.error(node, f"overrides must be a list, not {node}", "like '- when: {class: cat}' and 'copies: 20'")
            return ()
        return tuple(self.override(one) for one in node.value if one.ok)

    def override(self, node: Node) -> Override:
        if node.value is None:
            self.error(node, "an override must be a mapping", "like 'when: {class: cat}' and 'copies: 20'")
        given = self.mapping(node, "an override", ("when", "copies", "transforms"))
        when = self.mapping(given.get("when"), "when", ("class", "split"))
        found = Override(self.names(when.get("class"), "class"), self.names(when.get("split"), "split"))
        if isinstance(node.value, dict) and not (found.classes or found.splits):
            self.error(node, "an override needs 'when'", "with the classes or splits it is for: {class: cat}")
        if isinstance(node.value, dict) and not {"copies", "transforms"} & given.keys() and not self.written:
            self.error(node, "this override changes nothing", "add 'copies' or 'transforms'")
        copies, first = given.get("copies"), len(self.leaves)
        found = dataclasses.replace(
            found,
            copies=None if copies is None else self.whole(copies, "copies", 0, MAX_COPIES, 0),
            steps=self.steps(given["transforms"], "transforms") if "transforms" in given else None,
        )
        for leaf, (where, _) in zip(self.leaves[first:], self.marks[first:], strict=True):
            if TRANSFORMS[leaf.name].adds:
                self.error(where, f"{leaf.name} cannot be used in an override", "`per_class: {cat: 50}` says of which")
        return found

    def reject(self, given: Mapping[str, Node]) -> RejectOptions:
        lost = given.get("lost_objects")
        return RejectOptions(
            flat=self.boolean(given.get("flat"), "reject.flat", False),
            lost_objects=None
            if lost is None or lost.value is None
            else self.number(lost, "reject.lost_objects", 0, 1, 1.0),
        )

    def limits(self, given: Mapping[str, Node]) -> Limits:
        default = dataclasses.asdict(Limits())
        return Limits(
            **{key: self.whole(given.get(key), f"limits.{key}", 1, MAX_LIMIT, default[key]) for key in LIMIT_KEYS}
        )

    def labels(self, given: Mapping[str, Node], values: Node | None) -> LabelOptions:
        """`values` may stand at the top of the recipe, too."""
        default, under = LabelOptions(), "labels."
        if values is not None and "values" in given:
            self.error(values, "values is there twice, here and under 'labels'", "keep one of them")
        ignore = given.get("ignore")
        return LabelOptions(
            min_visibility=self.number(given.get("min_visibility"), under + "min_visibility", 0, 1, 0.0),
            min_area=self.number(given.get("min_area"), under + "min_area", 0, 1e9, 0.0),
            min_size=self.number(given.get("min_size"), under + "min_size", 0, 1e9, default.min_size),
            boxes=self.choice(given.get("boxes"), under + "boxes", ("outer", "ellipse"), default.boxes),
            pixels=self.choice(given.get("pixels"), under + "pixels", ("upright", "stored"), default.pixels),
            pairs=self.pairs(given.get("keypoint_pairs")),
            ignore=None
            if ignore is None or ignore.value is None
            else self.whole(ignore, under + "ignore", 0, 65535, 0),
            values=self.flipped(given.get("values", values)),
            hard=self.boolean(given.get("hard"), under + "hard", False),
        )

    def pairs(self, node: Node | None) -> tuple[tuple[int, int], ...] | None:
        """`[[1, 2], [3, 4]]`: which keypoints swap, as indexes from 0."""
        if node is None or not node.ok or node.value is None:
            return None
        ways_out = "write [[1, 2], [3, 4]]: indexes from 0, left and right; [] where none swap"
        pairs: list[tuple[int, int]] = []
        seen: set[int] = set()
        for pair in node.value if isinstance(node.value, list) else [node]:
            said = [n.value for n in pair.value] if isinstance(pair.value, list) else []
            both = [n for n in said if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 10_000]
            if len(both) != 2 or len(said) != 2 or both[0] == both[1]:
                self.error(pair, "labels.keypoint_pairs must be pairs of different indexes", ways_out)
            elif seen & set(both):
                self.error(pair, "a keypoint swaps with one other only", ways_out)
            else:
                seen.update(both)
                pairs.append((both[0], both[1]))
        return tuple(pairs)

    def flipped(self, node: Node | None) -> Mapping[str, str]:
        """`{angle: negate_on_flip}`: columns whose number changes its sign in a mirror."""
        if node is None or not node.ok or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self.error(node, f"values must be a mapping, not {node}", "write {angle: negate_on_flip}")
            return {}
        return {
            column: self.choice(value, f"values.{column}", ("negate_on_flip",), "negate_on_flip")
            for column, (_, value) in node.value.items()
        }

    def image(self, given: Mapping[str, Node]) -> ImageOptions:
        default, under = ImageOptions(), "output.image."
        bits = given.get("bits")
        if bits is not None and is_number(bits) and bits.value == 8:
            bits = dataclasses.replace(bits, value="8")
        written = self.choice(given.get("format"), under + "format", FORMATS, default.format)
        image = ImageOptions(
            format=_SAME_FORMAT.get(written, written),
            quality=self.whole(given.get("quality"), under + "quality", 1, 100, default.quality),
            subsampling=self.choice(given.get("subsampling"), under + "subsampling", SUBSAMPLING, default.subsampling),
            png_level=self.whole(given.get("png_level"), under + "png_level", 0, 9, default.png_level),
            lossless=self.boolean(given.get("lossless"), under + "lossless", default.lossless),
            bits=self.choice(bits, under + "bits", ("keep", "8"), default.bits),
            alpha=self.choice(given.get("alpha"), under + "alpha", ("keep", "drop"), default.alpha),
        )
        for key, node in given.items():
            if image.format not in _USED_BY.get(key, (image.format,)):
                self.warn(node, f"{under}{key} has no effect on {image.format}", "leave it out", "no-effect")
        return image

    def tar(self, given: Mapping[str, Node]) -> TarOptions:
        """`{images: 1000, bytes: 256M}`"""
        default, under = TarOptions(), "output.tar."
        size = given.get("bytes")
        if size is not None and isinstance(size.value, str) and (count := bytes_of(size.value)) is not None:
            size = dataclasses.replace(size, value=count)
        elif size is not None and isinstance(size.value, str):
            self.error(size, f"output.tar.bytes cannot be {size}", "write a size such as 256M or 1G")
            size = None
        return TarOptions(
            images=self.whole(given.get("images"), under + "images", 1, MAX_TAR_IMAGES, default.images),
            bytes=self.whole(size, under + "bytes", 1, MAX_TAR_BYTES, default.bytes),
        )


def bytes_of(text: str) -> int | None:
    """800M, 2G, 1.5 GiB or 4096 as a number of bytes; None for what is no size."""
    found = SIZE.fullmatch(text.strip())
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else None
