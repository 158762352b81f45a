"""What `augx validate` finds, by code: as plain data, like `codes`, which has what is found in datasets and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Level = Literal["error", "warning", "note"]

LEVELS: Mapping[Level, str] = {
    "error": "augx run refuses the recipe, or images fail",
    "warning": "augx run goes on, and what comes out is most likely not what was meant",
    "note": "it could be quicker or better; nothing is wrong",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`meaning`: as in "3 x ...". `why`: a sentence or two. `fixed`: `--fix` mends it, where that is safe."""

    level: Level
    meaning: str
    why: str
    way_out: str
    fixed: bool = False


_READING = {
    "recipe-unreadable": Rule("error", "the recipe cannot be read",
        "There is no such file or bundled recipe, or it is no text.", "look at the path; `augx list recipes`"),
    "yaml-syntax": Rule("error", "the file is no YAML as augx reads it",
        "Recipes are YAML 1.2 without tags and merge keys, each key once.",
        "mend the line; most often it is indentation, a quote or a bracket"),
    "version-missing": Rule("error", "the recipe does not begin with `version: 1`",
        "The version says how the rest is to be read, also by an augx of years to come.", "write `version: 1`", True),
    "recipe-key": Rule("error", "a key is unknown or missing",
        "A key that is not known would be passed over in silence, and the recipe would do something else.",
        "spell it as `augx schema` has it", True),
    "recipe-value": Rule("error", "a value is of the wrong kind or out of range",
        "What a key takes is in the message.", "write what the message says", True),
    "unknown-transform": Rule("error", "a transform is not known or cannot stand in a recipe",
        "Transforms are those of Albumentations 2.0.8 by their own names, and augx's own, lower case.",
        "`augx list transforms` names them all", True),
    "transform-argument": Rule("error", "an argument of a transform is unknown, missing or out of range",
        "Arguments are those of Albumentations 2.0.8; versions before and after have other names.",
        "`augx show NAME` lists them with their defaults", True),
    "range-reversed": Rule("error", "a range has its high end first",
        "Ranges are [low, high].", "exchange the two numbers", True),
    "named-file": Rule("error", "a file or folder that the recipe names is not there or does not hold what it should",
        "It is looked for beside the recipe first, then from the working folder.", "correct its path"),
    "dataset-refused": Rule("error", "the dataset cannot be used with this recipe",
        "augx run would refuse it with the same words.", "do what the message says"),
}  # fmt: skip

_STEPS = {
    "never-runs": Rule("warning", "a step has p: 0 and never runs",
        "In a OneOf p is the weight of the choice, so a member with p: 0 is never chosen.",
        "raise p, or remove the step"),
    "void-step": Rule("warning", "a step changes nothing",
        "Its ranges leave nothing to draw, or a step before it that always runs leaves nothing for it to do.",
        "give it ranges, or remove it"),
    "repeated-step": Rule("warning", "the same step stands twice in one list",
        "A flip twice is a flip once; noise twice is more noise. Most often the second one was copied and forgotten.",
        "remove one, or give it other arguments"),
    "override-hidden": Rule("warning", "an override never applies, because one before it takes all its images",
        "The first override that fits an image is the only one.", "put the narrower one first"),
    "no-effect": Rule("warning", "an option has no effect with this output format",
        "A PNG has no quality, for example.", "leave it out", True),
    "no-transforms": Rule("warning", "there are no transforms, so every copy equals its source",
        "Copies of the same picture teach nothing new.", "name some, or use a bundled recipe"),
    "few-outcomes": Rule("warning", "the steps make fewer different pictures than copies are asked for",
        "Flips and quarter turns alone have two to eight outcomes. Copies that equal another are drawn again, five "
        "times, and then counted as equal.", "ask for fewer copies, or add steps that draw from a range"),
    "two-policies": Rule("warning", "two policies stand in one list",
        "A policy is a whole recipe of its own, found or tuned alone; two of them distort too much.",
        "keep one, or put both in a OneOf"),
    "range-destroys": Rule("warning", "at one end of a range nothing is left of the picture",
        "Measured on 24 photos, 512 pixels wide: where pixels stay, what is between 4 and 16 pixels large correlates "
        "with the photo by less than 0.25, or varies by less than 1.5 levels, in a quarter of the photos or more; "
        "where they move, less than 2 % of photo or copy is seen, or a tenth is folded over itself. Sizes of blurs are "
        "for 512 pixels, and grow with the images of --input.", "narrow the range to what the message says"),
    "slow-step": Rule("warning", "a step takes longer than decoding and all else together",
        "From 0.12 s of CPU per megapixel on a recipe is warned about.", "leave it out, or lower its p"),
    "wasted-work": Rule("note", "a slow step works on pixels that a later crop or resize throws away",
        "A crop or a smaller size first leaves less to do. Noise and blur then act on the final pixels, which is "
        "mostly what was meant.", "move it behind the crop or resize"),
    "interpolated-twice": Rule("note", "pixels are interpolated twice where once would do",
        "Geometric steps in a row are done as one warp, and the picture is softened once; a filter between them, or "
        "a mirrored border, parts them.", "move the filter behind them, or write `border_mode: constant`"),
    "before-mix": Rule("note", "steps before a mix change only one of its pictures",
        "The other pictures come in as their sources are.", "put the mix first"),
    "not-fused": Rule("note", "`fuse: false` interpolates at every geometric step",
        "It is there to compare; with `fuse: true` a run of steps is done at once, sharper and quicker.",
        "leave `fuse` out"),
    "unknown-ignore": Rule("warning", "a comment ignores no code, or one that does not exist or cannot be ignored",
        "It is written `# augx: ignore[CODE]`. What augx run refuses cannot be ignored.",
        "correct the code, or remove the comment"),
    "unused-ignore": Rule("note", "a comment ignores what is not found there",
        "It would hide a finding of later.", "remove the comment"),
}  # fmt: skip

_MEANING = {
    "upside-down": Rule("warning", "poses are turned upside down",
        "Hardly any picture shows them so, and a network learns what it will not meet.", "leave the step out"),
    "colours-changed": Rule("warning", "colours change, and classes are called by them",
        "A red light that becomes green keeps the label red.", "leave the step out"),
    "signs-turned": Rule("warning", "signs that are to be read are mirrored or turned",
        "A 6 becomes a 9, a d a b, and the label stays.", "leave the step out"),
    "sides-exchanged": Rule("warning", "left becomes right, and classes or captions name them",
        "A left shoe in a mirror is a right one, and keeps the label left. A dog on the left is on the right, and the "
        "caption stays.", "leave the step out"),
    "value-unturned": Rule("warning", "the picture is mirrored, and a value that is an angle stays",
        "A steering angle has another sign in a mirror.", "`labels: {values: {NAME: negate_on_flip}}`"),
    "shown-twice": Rule("warning", "mirrored borders show objects a second time, without a label",
        "A detector is taught that those are no objects.", "`border_mode: constant` with a `fill`"),
    "border-class": Rule("warning", "what comes in at the border gets class 0 of the masks",
        "Where class 0 is a class, black corners are taught as that class.",
        "`labels: {ignore: N}`, or `border_mode: reflect_101`"),
    "boxes-turned": Rule("warning", "boxes fit only the other of the stored and the upright pixels",
        "Cameras store pictures turned and say so in EXIF; some tools label what is stored.",
        "`labels: {pixels: stored}` or `upright`"),
}  # fmt: skip

_DATA = {
    "crop-too-large": Rule("error", "images are too small for a crop", "Every copy of them fails.",
        "resize before it (SmallestMaxSize), or `pad_if_needed: true`"),
    "class-imbalance": Rule("warning", "a class has ten times as many images or objects as another",
        "A network learns to answer with the larger class. Copies of all alike leave it so.",
        "`balance: max`, or a number for every class"),
    "class-not-trained": Rule("warning", "a class is only in splits that are not multiplied",
        "A network is tested on what it has never been taught.", "put images of it into the training split, or "
        "add its split to `splits`"),
    "tiny-class": Rule("note", "a class has fewer than five sources",
        "Copies of four pictures still show four things.", "find more, or join it with another class"),
    "exact-duplicate": Rule("warning", "the same file is there more than once",
        "It counts double, and its copies too.", "remove all but one"),
    "labels-differ": Rule("warning", "the same file is there with different labels",
        "At most one of them is right, and all copies repeat the mistake.", "look at it, and keep the right one"),
    "alike-images": Rule("note", "images look alike",
        "Frames of one scene, or the same picture saved again. At most 12 of 128 bits of what is told by 9 x 8 cells "
        "differ; drawings of one kind are taken for alike too easily.", "keep the best, or fewer copies of them"),
    "looked-at-some": Rule("note", "not all images were looked into", "--sample says how many.",
        "`--sample 0` looks into all"),
}  # fmt: skip

OF_RECIPES = frozenset(_STEPS)  # what is found without a dataset
RULES: Mapping[str, Rule] = MappingProxyType({**_READING, **_STEPS, **_MEANING, **_DATA})
REFUSED = frozenset(_READING)  # by augx run: cannot be ignored
