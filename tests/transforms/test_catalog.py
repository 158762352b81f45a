import subprocess
import sys

import pytest

from augx.transforms.arguments import describe
from augx.transforms.catalog import SLOW, TRANSFORMS, suggest
from augx.transforms.problems import check

GROUPS = {"OneOf", "SomeOf", "Sequential", "inside"}
OWN = {name for name, entry in TRANSFORMS.items() if entry.own}


def test_holds_every_transform_of_albumentations_and_nothing_else() -> None:
    import albumentations
    from albumentations.core.transforms_interface import BasicTransform

    abstract = {"BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform3D"}
    found = {
        name
        for name, value in vars(albumentations).items()
        if isinstance(value, type) and issubclass(value, BasicTransform) and name not in abstract
    }
    assert set(TRANSFORMS) - OWN == found | GROUPS - OWN | {"ToTensorV2"}  # which is absent without torch
    assert len(TRANSFORMS) - len(OWN) == 117 + 3


def test_those_of_our_own_are_lower_case_and_what_the_catalogue_says() -> None:
    from augx.transforms.own.base import Mix, Own, load

    for name in OWN:
        entry = TRANSFORMS[name]
        assert name == name.lower()
        if not entry.members:
            cls = load(name)
            assert issubclass(cls, Own)
            assert cls.name == name
            assert issubclass(cls, Mix) == bool(entry.partners), name


def test_names_keys_and_one_line_summaries() -> None:
    for name, entry in TRANSFORMS.items():
        assert entry.name == name
        assert 0 < len(entry.summary) <= 70
        assert "\n" not in entry.summary
        assert entry.members == (name in GROUPS)
        assert (entry.seconds > 0) == (not entry.refused and not entry.members)


def test_what_moves_pixels_is_what_albumentations_moves_boxes_for() -> None:
    import albumentations
    from albumentations.core.transforms_interface import DualTransform

    still = {"NoOp", "Morphological"}  # Dual there, though every pixel stays at its place
    for name, entry in TRANSFORMS.items():
        if entry.refused or entry.members or entry.own:
            continue
        dual = issubclass(getattr(albumentations, name), DualTransform)
        assert entry.moves == (dual and entry.group != "random erasing" and name not in still), name


def test_only_the_pathological_ones_are_slow() -> None:
    slow = {name for name, entry in TRANSFORMS.items() if entry.seconds >= SLOW}
    assert {"PiecewiseAffine", "RandomFog", "ElasticTransform", "ThinPlateSpline", "GlassBlur"} <= slow
    assert len(slow) == 10
    assert TRANSFORMS["PiecewiseAffine"].seconds > 1


@pytest.mark.parametrize("name", ["ToTensorV2", "Normalize", "Lambda", "Pad3D", "FDA", "TextImage", "MaskDropout"])
def test_what_cannot_stand_in_a_recipe_says_why(name: str) -> None:
    assert len(TRANSFORMS[name].refused) > 20
    assert check(name, {})[0].message == TRANSFORMS[name].refused
    assert describe(name) == {}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("horizontalflip", "HorizontalFlip"),
        ("HorizontalFlip", "HorizontalFlip"),
        ("hflip", "HorizontalFlip"),
        ("Flip", "HorizontalFlip"),
        ("Rotation", "Rotate"),
        ("gaussian_blur", "GaussianBlur"),
        ("GausianBlur", "GaussianBlur"),
        ("Cutout", "cutout"),
        ("RandomErasing", "random_erasing"),
        ("CopyPaste", "copy_paste"),
        ("MixUp", "mixup"),
        ("MOSAIC", "mosaic"),
        ("oneof", "OneOf"),
        ("OneOrOther", "OneOf"),
        ("RandomOrder", "SomeOf"),
        ("Compose", "Sequential"),
        ("ReplayCompose", "Sequential"),
        ("SelectiveChannelTransform", "Sequential"),
        ("os", None),
        ("__class__", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_suggests_what_was_meant(written: str, meant: str | None) -> None:
    assert suggest(written) == meant


def test_every_alias_leads_to_a_usable_name() -> None:
    from augx.transforms.catalog import _ALIASES

    known = {name.lower().replace("_", "") for name in TRANSFORMS}
    for alias, name in _ALIASES.items():
        assert not TRANSFORMS[name].refused
        assert alias == alias.lower()
        assert alias not in known


def test_imports_nothing_heavy() -> None:
    code = "import sys, augx.transforms.catalog; print({'numpy', 'cv2', 'albumentations'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
