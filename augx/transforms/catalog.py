"""The transforms a recipe may name: every one of Albumentations 2.0.8 and its three groups, as plain data.

This table is the only place a name from a recipe is looked up: never `getattr` on what a user wrote. It imports
nothing heavy, so that listing transforms or misspelling one costs no time.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One transform or group.

    `group`: as `taxonomy.GROUPS` has them.
    `moves`: pixels change place, so labels that say where something is change with them.
    `deep`: keeps 16-bit precision with its default arguments; some arguments cost it (`classical` says which).
    `seconds`: CPU seconds per megapixel with default arguments, 512x512 RGB 8 bits, one core of 2023.
    `refused`: why it cannot stand in a recipe, and what to do instead; "" if it can.
    `members`: it is a group and holds other steps.
    `own`: "module:Class" of one of augx's own. `partners`: it mixes other pictures in, by default those of the same,
    of another or of any class, or of a "folder"; "" if it mixes none. `pool`: of so many pictures it chooses them.
    `learned`: it works with a model of this method of `augx learn`; "" if with none.
    `adds`: it makes pictures of its own, and changes none.
    """

    name: str
    group: str
    summary: str
    seconds: float
    moves: bool = False
    deep: bool = True
    refused: str = ""
    members: bool = False
    own: str = ""
    partners: str = ""
    pool: int = 0
    learned: str = ""
    adds: bool = False


# What they do depends on boxes, masks, or on whether there are any.
SEE_LABELS = frozenset(
    {"AtLeastOneBBoxRandomCrop", "BBoxSafeRandomCrop", "RandomSizedBBoxSafeCrop", "CropNonEmptyMaskIfExists"}
    | {"inside", "copy_paste", "background", "random_erasing", "augmix"}
    | {"randaugment", "trivialaugment", "autoaugment", "policy"}
)
# Give images several classes with weights.
WEIGHING = frozenset({"mixup", "cutmix", "resizemix", "fmix", "mosaic", "feature_space", "neural"})
_MIRRORS = frozenset({"HorizontalFlip", "VerticalFlip", "Transpose", "D4", "SquareSymmetry", "TimeReverse"})
SLOW = 0.12  # seconds per megapixel from which a recipe is warned: ten to twenty times the cost of decoding

_VOLUME = "it works on volumes, not pictures; use {}"
_TRAINING = "its result is no image file; the training code does this when it loads the images"
_PARTNER = "it needs other pictures, which a recipe cannot hand to it; leave it out"


def _own(name: str, group: str, target: str, summary: str, seconds: float, **more: Any) -> Entry:
    return Entry(name, group, summary, seconds, own=f"augx.transforms.own.{target}", **more)


_ENTRIES = (
    # augx's own
    Entry(
        "inside",
        "groups",
        "its members act inside objects only, or everywhere but there",
        0.0,
        members=True,
        own="augx.transforms.own.inside:Inside",
    ),
    _own(
        "white_balance",
        "colour space",
        "light:WhiteBalance",
        "another colour of light: gains, or its temperature",
        0.002,
    ),
    _own("gray_world", "colour space", "light:GrayWorld", "takes out a colour cast: all channels of one mean", 0.0036),
    _own("vignette", "colour space", "light:Vignette", "darkens towards the corners, as lenses do", 0.0026),
    _own(
        "smooth_field", "colour space", "light:SmoothField", "uneven light and colour cast by one smooth field", 0.0017
    ),
    _own("sensor_noise", "noise injection", "camera:SensorNoise", "the noise of a sensor at a given ISO", 0.035),
    _own(
        "jpeg_generations",
        "weather and camera",
        "camera:JpegGenerations",
        "saved as JPEG several times over",
        0.018,
        deep=False,
    ),
    _own(
        "patch_shuffle", "kernel filters", "patch_shuffle:PatchShuffle", "shuffles the pixels in small windows", 0.027
    ),
    _own("sharpness", "kernel filters", "pillow:Sharpness", "sharper or softer, as Pillow does", 0.0021),
    _own(
        "pillow_autocontrast",
        "colour space",
        "pillow:PillowAutocontrast",
        "stretches each channel to the full range, as Pillow does",
        0.0016,
        deep=False,
    ),
    _own(
        "pillow_equalize",
        "colour space",
        "pillow:PillowEqualize",
        "spreads the histogram evenly, as Pillow does",
        0.005,
        deep=False,
    ),
    _own("cutout", "random erasing", "erasing:Cutout", "a square of one colour, anywhere", 0.0045),
    _own(
        "random_erasing",
        "random erasing",
        "erasing:RandomErasing",
        "a rectangle of noise, or one in each object",
        0.0024,
    ),
    _own("gridmask", "random erasing", "erasing:GridMask", "a grid of squares, turned, is blanked", 0.0058),
    _own("hide_and_seek", "random erasing", "erasing:HideAndSeek", "some cells of a grid are hidden", 0.007),
    _own("mixup", "mixing", "mixup:Mixup", "two pictures blended, labels weighted", 0.00074, partners="any", pool=8),
    _own(
        "samplepairing",
        "mixing",
        "mixup:SamplePairing",
        "two pictures averaged; the label stays",
        0.00071,
        partners="any",
        pool=8,
    ),
    _own(
        "extrapolate",
        "mixing",
        "mixup:Extrapolate",
        "away from a near picture of the same class",
        0.00071,
        partners="same",
        pool=64,
    ),
    Entry(
        "style",
        "style transfer",
        "in the colours and textures of another picture (AdaIN)",
        0.06,
        own="augx.learn.style:Style",
        partners="any",
        pool=8,
        learned="style",
    ),
    Entry(
        "adversarial",
        "adversarial",
        "a few levels that mislead a classifier (FGSM, PGD)",
        0.06,
        own="augx.learn.adversarial:Adversarial",
        learned="adversarial",
    ),
    Entry(
        "gan",
        "GAN",
        "adds pictures of each class that a generator makes",
        0.06,
        own="augx.learn.gan:Gan",
        learned="gan",
        adds=True,
    ),
    Entry(
        "neural",
        "meta-learning",
        "made of two pictures of a class by a small network",
        0.06,
        own="augx.learn.neural:Neural",
        partners="same",
        pool=8,
        learned="neural",
    ),
    Entry(
        "feature_space",
        "feature space",
        "its code of an autoencoder moved by a near one, or noise",
        0.06,
        own="augx.learn.feature_space:FeatureSpace",
        partners="same",
        pool=64,
        learned="autoencoder",
    ),
    _own(
        "cutmix",
        "mixing",
        "cutting:Cutmix",
        "a part of another picture pasted in, labels by area",
        0.0023,
        partners="any",
        pool=8,
    ),
    _own(
        "resizemix",
        "mixing",
        "cutting:Resizemix",
        "another whole picture, made small, pasted in",
        0.0046,
        partners="any",
        pool=8,
    ),
    _own("fmix", "mixing", "cutting:Fmix", "two pictures along a smooth random line", 0.0058, partners="any", pool=8),
    _own(
        "mosaic", "mixing", "mosaic:Mosaic", "four or nine pictures side by side in one", 0.02, partners="any", pool=12
    ),
    _own(
        "copy_paste",
        "mixing",
        "copy_paste:CopyPaste",
        "objects of another picture pasted in",
        0.055,
        partners="any",
        pool=8,
    ),
    _own(
        "background",
        "mixing",
        "background:Background",
        "the objects on another background, from a folder",
        0.02,
        partners="folder",
    ),
    _own(
        "augmix",
        "meta-learning",
        "augmix:Augmix",
        "chains of transforms, mixed and blended with the picture",
        0.042,
        deep=False,
    ),
    _own(
        "randaugment",
        "meta-learning",
        "policies:RandAugment",
        "n transforms of one magnitude",
        0.0045,
        moves=True,
        deep=False,
    ),
    _own(
        "trivialaugment",
        "meta-learning",
        "policies:TrivialAugment",
        "one transform of any magnitude",
        0.0022,
        moves=True,
        deep=False,
    ),
    _own(
        "autoaugment",
        "meta-learning",
        "policies:AutoAugment",
        "the policies found for CIFAR-10, ImageNet, SVHN",
        0.0034,
        moves=True,
        deep=False,
    ),
    _own("policy", "meta-learning", "policies:FilePolicy", "a policy from a file", 0.007, moves=True, deep=False),
    # groups
    Entry("OneOf", "groups", "applies one of its members, chosen by their p as weights", 0.0, members=True),
    Entry("SomeOf", "groups", "picks n of its members; each applies with its own p", 0.0, members=True),
    Entry("Sequential", "groups", "applies its members in order, or none of them", 0.0, members=True),
    # geometric
    Entry("Affine", "geometric", "rotates, scales, shifts and shears", 0.0062, moves=True),
    Entry("AtLeastOneBBoxRandomCrop", "geometric", "a random part of a given size, a box in it", 0.00017, moves=True),
    Entry("BBoxSafeRandomCrop", "geometric", "a random part with all boxes in it", 0.0002, moves=True),
    Entry("CenterCrop", "geometric", "the middle part of a given size", 0.00013, moves=True),
    Entry("Crop", "geometric", "the part between four given edges", 0.00014, moves=True),
    Entry("CropAndPad", "geometric", "cuts off or adds a strip on each side", 0.003, moves=True),
    Entry("CropNonEmptyMaskIfExists", "geometric", "a random part with some of the class mask in it", 0.01, moves=True),
    Entry("D4", "geometric", "one of the eight flips and quarter turns of a square", 0.00044, moves=True),
    Entry("ElasticTransform", "geometric", "bends the picture like rubber, by smooth random shifts", 0.26, moves=True),
    Entry("GridDistortion", "geometric", "stretches the cells of a grid differently", 0.0065, moves=True),
    Entry(
        "GridElasticDeform", "geometric", "shifts the knots of a grid and bends what lies between", 0.079, moves=True
    ),
    Entry("HorizontalFlip", "geometric", "mirrors left and right", 0.00031, moves=True),
    Entry("LongestMaxSize", "geometric", "resizes so that the longer side has a given length", 0.0017, moves=True),
    Entry("NoOp", "geometric", "changes nothing", 9.9e-05),
    Entry("OpticalDistortion", "geometric", "barrel or pincushion distortion of a lens", 0.011, moves=True),
    Entry("Pad", "geometric", "adds a border", 0.00034, moves=True),
    Entry("PadIfNeeded", "geometric", "adds a border up to a given size", 0.00037, moves=True),
    Entry("Perspective", "geometric", "looks at the picture from an angle", 0.011, moves=True),
    Entry("PiecewiseAffine", "geometric", "shifts the knots of a grid, each triangle on its own", 21, moves=True),
    Entry("RandomCrop", "geometric", "a random part of a given size", 0.00016, moves=True),
    Entry("RandomCropFromBorders", "geometric", "cuts a random share off each side", 0.00016, moves=True),
    Entry("RandomGridShuffle", "geometric", "cuts the picture into tiles and shuffles them", 0.0009, moves=True),
    Entry(
        "RandomResizedCrop", "geometric", "a random part of random shape, resized to a given size", 0.00098, moves=True
    ),
    Entry("RandomRotate90", "geometric", "turns by 0, 90, 180 or 270 degrees", 9.8e-05, moves=True),
    Entry("RandomScale", "geometric", "resizes by a random factor", 0.0017, moves=True),
    Entry("RandomSizedBBoxSafeCrop", "geometric", "a part with all boxes, resized to a given size", 0.0018, moves=True),
    Entry("RandomSizedCrop", "geometric", "a part of random height, resized to a given size", 0.0017, moves=True),
    Entry("Resize", "geometric", "resizes to a given height and width", 0.0019, moves=True),
    Entry("Rotate", "geometric", "turns by a random angle; corners are lost", 0.0058, moves=True),
    Entry("SafeRotate", "geometric", "turns by a random angle, made smaller so that all fits", 0.0057, moves=True),
    Entry("ShiftScaleRotate", "geometric", "shifts, scales and turns in one step", 0.0061, moves=True),
    Entry("SmallestMaxSize", "geometric", "resizes so that the shorter side has a given length", 0.0016, moves=True),
    Entry("SquareSymmetry", "geometric", "one of the eight flips and quarter turns of a square", 0.00029, moves=True),
    Entry("ThinPlateSpline", "geometric", "bends the picture like a thin metal plate", 0.35, moves=True),
    Entry("TimeReverse", "geometric", "mirrors left and right (a spectrogram's time axis)", 0.0007, moves=True),
    Entry("Transpose", "geometric", "swaps rows and columns", 0.00026, moves=True),
    Entry("VerticalFlip", "geometric", "mirrors top and bottom", 0.00025, moves=True),
    # colour space
    Entry("AutoContrast", "colour space", "stretches each channel to the full range", 0.0047, deep=False),
    Entry("CLAHE", "colour space", "evens out contrast region by region", 0.019, deep=False),
    Entry("ChannelDropout", "colour space", "blanks one or more colour channels", 0.001),
    Entry("ChannelShuffle", "colour space", "puts the colour channels in another order", 0.0014),
    Entry("ColorJitter", "colour space", "changes brightness, contrast, saturation and hue", 0.0065),
    Entry("Equalize", "colour space", "spreads the histogram evenly", 0.0046, deep=False),
    Entry("FancyPCA", "colour space", "shifts colours along their principal axes", 0.22),
    Entry("HEStain", "colour space", "changes the stain of an H&E tissue slide", 0.34),
    Entry("HueSaturationValue", "colour space", "shifts hue, saturation and value", 0.0053, deep=False),
    Entry("Illumination", "colour space", "adds an uneven light: a slope, a corner or a spot", 0.015),
    Entry("InvertImg", "colour space", "turns into a negative", 0.0002),
    Entry("PlanckianJitter", "colour space", "changes the colour temperature of the light", 0.0025),
    Entry("PlasmaBrightnessContrast", "colour space", "changes brightness and contrast in cloudy patches", 0.09),
    Entry("Posterize", "colour space", "keeps only the upper bits of each channel", 0.00073, deep=False),
    Entry("RGBShift", "colour space", "adds a random value to each channel", 0.0018),
    Entry("RandomBrightnessContrast", "colour space", "changes brightness and contrast", 0.00046),
    Entry("RandomGamma", "colour space", "changes the gamma curve", 0.00045),
    Entry("RandomToneCurve", "colour space", "bends the tone curve", 0.0007, deep=False),
    Entry("Solarize", "colour space", "inverts what is brighter than a threshold", 0.0005),
    Entry("ToGray", "colour space", "takes the colour away, keeps three channels", 0.00093),
    Entry("ToRGB", "colour space", "makes a grey picture RGB", 0.00025),
    Entry("ToSepia", "colour space", "the brown of old photographs", 0.0012),
    # kernel filters
    Entry("AdvancedBlur", "kernel filters", "blurs with a random, noisy, tilted Gaussian", 0.0052),
    Entry("Blur", "kernel filters", "blurs with a box", 0.001),
    Entry("Defocus", "kernel filters", "blurs like a lens out of focus", 0.069),
    Entry("Emboss", "kernel filters", "raises edges like a relief", 0.0024),
    Entry("GaussianBlur", "kernel filters", "blurs with a Gaussian", 0.0029),
    Entry("GlassBlur", "kernel filters", "blurs like frosted glass", 0.24),
    Entry("MedianBlur", "kernel filters", "takes the median of the neighbourhood", 0.0053, deep=False),
    Entry("Morphological", "kernel filters", "grows or shrinks bright areas", 0.00049),
    Entry("MotionBlur", "kernel filters", "blurs along a line, like a moving camera", 0.0024),
    Entry("RingingOvershoot", "kernel filters", "adds the halos of a sharp low-pass filter", 0.055),
    Entry("Sharpen", "kernel filters", "sharpens", 0.0029),
    Entry("UnsharpMask", "kernel filters", "sharpens with an unsharp mask", 0.05),
    Entry("ZoomBlur", "kernel filters", "blurs from the middle outwards", 0.026),
    # noise injection
    Entry("AdditiveNoise", "noise injection", "adds noise of a chosen distribution", 0.0019),
    Entry("GaussNoise", "noise injection", "adds Gaussian noise", 0.062),
    Entry("ISONoise", "noise injection", "adds the noise of a camera at high ISO", 0.069),
    Entry("MultiplicativeNoise", "noise injection", "multiplies with random factors", 0.0017),
    Entry("SaltAndPepper", "noise injection", "sets random pixels to white or black", 0.022),
    Entry("ShotNoise", "noise injection", "adds the photon noise of weak light", 0.22),
    # random erasing
    Entry("CoarseDropout", "random erasing", "blanks random rectangles (cutout)", 0.0009),
    Entry("Erasing", "random erasing", "blanks one random rectangle", 0.00055),
    Entry("FrequencyMasking", "random erasing", "blanks a horizontal strip (a spectrogram's frequencies)", 0.00051),
    Entry("GridDropout", "random erasing", "blanks the cells of a grid", 0.0016),
    Entry("PixelDropout", "random erasing", "blanks random pixels", 0.024),
    Entry("TimeMasking", "random erasing", "blanks a vertical strip (a spectrogram's time)", 0.0004),
    Entry("XYMasking", "random erasing", "blanks vertical and horizontal strips", 0.00043),
    # weather and camera
    Entry("PlasmaShadow", "weather and camera", "darkens cloudy patches", 0.03),
    Entry("RandomFog", "weather and camera", "adds fog", 0.46, deep=False),
    Entry("RandomGravel", "weather and camera", "adds patches of gravel", 0.0061, deep=False),
    Entry("RandomRain", "weather and camera", "adds rain", 0.0064, deep=False),
    Entry("RandomShadow", "weather and camera", "adds polygonal shadows", 0.012, deep=False),
    Entry("RandomSnow", "weather and camera", "adds snow", 0.0099, deep=False),
    Entry("RandomSunFlare", "weather and camera", "adds a lens flare of the sun", 0.15, deep=False),
    Entry("Spatter", "weather and camera", "adds drops of rain or mud on the lens", 0.11),
    Entry(
        "ChromaticAberration",
        "weather and camera",
        "shifts the colours apart at edges, like a simple lens",
        0.014,
        deep=False,
    ),
    Entry("Downscale", "weather and camera", "loses detail by scaling down and up again", 0.001, deep=False),
    Entry("ImageCompression", "weather and camera", "adds the artefacts of JPEG or WebP", 0.016, deep=False),
    Entry("Superpixels", "weather and camera", "replaces patches by their mean colour", 0.63, deep=False),
    # refused
    Entry(
        "CenterCrop3D", "other", "crops a volume in the middle", 0.0, deep=False, refused=_VOLUME.format("CenterCrop")
    ),
    Entry(
        "CoarseDropout3D",
        "other",
        "blanks boxes in a volume",
        0.0,
        deep=False,
        refused=_VOLUME.format("CoarseDropout"),
    ),
    Entry(
        "ConstrainedCoarseDropout",
        "random erasing",
        "blanks rectangles inside objects",
        0.0,
        deep=False,
        refused="it takes its objects by numbers that a recipe does not have; use CoarseDropout",
    ),
    Entry(
        "CubicSymmetry", "other", "one of the 48 symmetries of a cube", 0.0, deep=False, refused=_VOLUME.format("D4")
    ),
    Entry("FDA", "mixing", "takes the low frequencies of another picture", 0.0, deep=False, refused=_PARTNER),
    Entry("FromFloat", "other", "multiplies with the largest value", 0.0, deep=False, refused=_TRAINING),
    Entry("HistogramMatching", "mixing", "takes the histogram of another picture", 0.0, deep=False, refused=_PARTNER),
    Entry(
        "Lambda",
        "other",
        "calls functions of one's own",
        0.0,
        deep=False,
        refused="it calls Python functions, which a recipe cannot hold; use a named transform",
    ),
    Entry(
        "MaskDropout",
        "random erasing",
        "blanks objects of the mask",
        0.0,
        deep=False,
        refused="it blanks objects but leaves their boxes and polygons; use CoarseDropout",
    ),
    Entry(
        "Mosaic",
        "mixing",
        "puts several pictures into a grid",
        0.0,
        deep=False,
        refused="it needs other pictures, which a recipe cannot hand to it; use mosaic",
    ),
    Entry("Normalize", "other", "subtracts a mean and divides by a deviation", 0.0, deep=False, refused=_TRAINING),
    Entry("OverlayElements", "mixing", "puts other pictures on top", 0.0, deep=False, refused=_PARTNER),
    Entry("Pad3D", "other", "adds a border to a volume", 0.0, deep=False, refused=_VOLUME.format("Pad")),
    Entry(
        "PadIfNeeded3D",
        "other",
        "adds a border to a volume up to a given size",
        0.0,
        deep=False,
        refused=_VOLUME.format("PadIfNeeded"),
    ),
    Entry(
        "PixelDistributionAdaptation",
        "mixing",
        "takes the colours of another picture",
        0.0,
        deep=False,
        refused=_PARTNER,
    ),
    Entry("RandomCrop3D", "other", "a random part of a volume", 0.0, deep=False, refused=_VOLUME.format("RandomCrop")),
    Entry(
        "RandomCropNearBBox",
        "geometric",
        "a random part around a given box",
        0.0,
        deep=False,
        refused="it needs a box for each picture, which a recipe cannot give; use AtLeastOneBBoxRandomCrop",
    ),
    Entry(
        "TextImage",
        "mixing",
        "writes text on the picture",
        0.0,
        deep=False,
        refused="it needs a font file and a text for each picture, which a recipe cannot give; leave it out",
    ),
    Entry("ToFloat", "other", "divides by the largest value", 0.0, deep=False, refused=_TRAINING),
    Entry("ToTensorV2", "other", "makes a PyTorch tensor", 0.0, deep=False, refused=_TRAINING),
)

TRANSFORMS: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})

# What people call it elsewhere (torchvision, imgaug, Augmentor, Keras, older Albumentations) -> its name here.
_ALIASES = {
    "affinetransform": "Affine",
    "brightness": "RandomBrightnessContrast",
    "compose": "Sequential",
    "contrast": "RandomBrightnessContrast",
    "elastic": "ElasticTransform",
    "fliplr": "HorizontalFlip",
    "flip": "HorizontalFlip",
    "flipud": "VerticalFlip",
    "fog": "RandomFog",
    "gamma": "RandomGamma",
    "gaussiannoise": "GaussNoise",
    "grayscale": "ToGray",
    "greyscale": "ToGray",
    "hflip": "HorizontalFlip",
    "hsv": "HueSaturationValue",
    "hue": "HueSaturationValue",
    "invert": "InvertImg",
    "jitter": "ColorJitter",
    "jpegcompression": "ImageCompression",
    "mirror": "HorizontalFlip",
    "noise": "GaussNoise",
    "oneorother": "OneOf",
    "rain": "RandomRain",
    "randomaffine": "Affine",
    "randombrightness": "RandomBrightnessContrast",
    "randomcontrast": "RandomBrightnessContrast",
    "randomflip": "HorizontalFlip",
    "randomgrayscale": "ToGray",
    "randomhorizontalflip": "HorizontalFlip",
    "randomorder": "SomeOf",
    "randomperspective": "Perspective",
    "randomrotation": "Rotate",
    "randomverticalflip": "VerticalFlip",
    "replaycompose": "Sequential",
    "rotate90": "RandomRotate90",
    "rotation": "Rotate",
    "saturation": "HueSaturationValue",
    "scale": "RandomScale",
    "selectivechanneltransform": "Sequential",
    "shadow": "RandomShadow",
    "shear": "Affine",
    "shift": "Affine",
    "snow": "RandomSnow",
    "translate": "Affine",
    "vflip": "VerticalFlip",
    "zoom": "RandomScale",
}


def mirrors_pictures(name: str, args: Mapping[str, Any]) -> bool:
    """Whether a transform makes left of right, always or now and then."""
    if name == "Affine":
        scale = args.get("scale", 1)
        ranges = list(scale.values()) if isinstance(scale, Mapping) else [scale]
        numbers = [n for one in ranges for n in (one if isinstance(one, (list, tuple)) else [one])]
        return any(isinstance(n, (int, float)) and n < 0 for n in numbers)
    if name == "policy":  # whose ops are transforms, too, or have names of their own: none of those mirrors
        ops = [op for line in args.get("policies", ()) for op in line]
        named = [pair for op in ops for pair in (op.items() if isinstance(op, Mapping) else [(op, {})])]
        return any(mirrors_pictures(str(op), said or {}) for op, said in named)
    return name in _MIRRORS


def _plain(name: str) -> str:
    return name.lower().translate({ord(mark): None for mark in "_- "})


def suggest(name: str) -> str | None:
    """The known transform that `name` most likely means, or None. Case, `_`, `-` and spaces do not count."""
    usable_last = sorted(TRANSFORMS.values(), key=lambda entry: not entry.refused)  # mosaic, not Mosaic
    known = {_plain(entry.name): entry.name for entry in usable_last} | _ALIASES
    wanted = _plain(name)
    if wanted in known:
        return known[wanted]
    close = difflib.get_close_matches(wanted[:64], known, n=1, cutoff=0.7)
    return known[close[0]] if close else None
