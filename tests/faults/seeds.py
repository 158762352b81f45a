"""Where fuzzing begins: small valid input for each harness, and the words of each format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import readers
import wild_data
from layouts import BETWEEN, Labels
from outputs import output_seeds, verify_seeds
from PIL import Image
from wild_data import saved

_TAIL = b" \n,:;|-._/\\\"'"
_NUMBERS = "nan inf -inf 1e400 -0 1e-5 0.5 99999999999999999999 9007199254740993 0x10 1_0 \u0663 \xb2 true null"
_PLACES = "../a.png /etc/passwd C:\\a.png a.png b.png .. . ./a.png \xe9 e\u0301 \u2028 \ufeff \x1e"
_JSON = '{ } [ ] {"a": [] "\\ud800" "\\u0000" NaN Infinity -Infinity 1E400 null [[[[[[[[ }}}} ":'
_XML = '<?xml <!DOCTYPE <!-- --> <![CDATA[ ]]> &amp; &#0; &#xD800; /> </ version="1.0" encoding="utf-16" <a>'

WORDS: Mapping[str, str] = {
    "table": """file_name label labels split class x_min xmin ymin xmax ymax bbox values score target id mask_file_name
        cat dog cat|dog cat:0.5""",
    "coco": f"""{_JSON} images annotations categories id image_id category_id bbox segmentation counts size keypoints
        iscrowd area file_name width height name supercategory segments_info caption skeleton""",
    "yolo": """names: nc: train: val: test: path: kpt_shape: flip_idx: images [cat,dog] {0:cat} 0 0.5 0.5 0.2 0.2
        classes= names= train=""",
    "voc": f"""{_XML} annotation object name bndbox xmin ymin xmax ymax part size width height depth difficult filename
        source database attributes attribute value <object> </object> <name> -1 1""",
    "dota": "imagesource:GoogleEarth gsd:0.1 plane 0 1 2 4 14 12",
    "labelme": f"""{_JSON} shapes label points shape_type rectangle polygon circle line linestrip point mask
        oriented_rectangle group_id flags imagePath imageData imageHeight imageWidth description version __ignore__""",
    "cvat": f"""{_XML} annotations image box polygon polyline points cuboid ellipse mask skeleton tag attribute
        label xtl ytl xbr ybr rotation points= rle= left top width height cx cy rx ry occluded z_order group_id
        meta subset""",
    "masks": """128 64 Animal background void name,r,g,b index,name label_map ignore :128,64,0:: images/a.png
        masks/a.png""",
    "hf": f"""{_JSON} file_name objects bbox category segmentation keypoints obb iscrowd area label labels text captions
        mask_file_name width height categories counts size""",
    "createml": f"{_JSON} image annotations annotation label coordinates x y width height imagefilename filename",
    "openimages": """ImageID LabelName Confidence XMin XMax YMin YMax IsOccluded filename width height class xmin ymin
        xmax ymax /m/01yrx Source Subset OriginalURL Rotation labels""",
    "webdataset": """ustar 0000644 a.png a.json a.cls a.txt a.seg.png L K x g 5 0 ././@LongLink path= size= GNU.sparse
        0000000""",
    "names": """train/ val/ test/ cat/ dog/ images/ masks/ labels/ _mask.png .png .jpg .txt .json a b 1 metadata.jsonl
        data.yaml _aug01""",
    "recipe": """version: seed: copies: originals: splits: split: balance: transforms: overrides: when: class: reject:
        labels: values: output: image: format: quality: limits: HorizontalFlip Affine OneOf SomeOf Sequential inside
        mixup rotate: p: n: min_visibility: min_area: keypoint_pairs: ignore: hard: !!python/object &a *a << ? ! %YAML
        --- ... | > [ ] { } max none""",
    "policy": "version: policies: Rotate Equalize Invert Solarize Affine Identity {p: {m: scale: m: [ ] { } - 0.5 10",
    "output": f"""{_JSON} @M @B @S source stem ending key sha256 size copies failed length notes beside offset manifest
        files file_name copy source_bytes content_sha256 augx plan counts recipe versions failures_sha256 error a_aug01
        """,
    "verify": f"""{_JSON} file_name copy bytes sha256 width height labels objects bbox segmentation keypoints obb mask
        instances files extra label size counts""",
    "rle": "0 1 P O o",
    "json": f'{_JSON} "a": "images":',
    "xml": f"{_XML} attributes attribute name value #text",
    "image": """IHDR PLTE IDAT IEND tRNS iCCP eXIf acTL fcTL fdAT sRGB gAMA Adobe JFIF Exif II* MM RIFF WEBP VP8 VP8L
        VP8X ALPH ANIM BM""",
}
_MARKERS = [b"\xff\xd8\xff\xe0", *(bytes((255, kind)) for kind in (0xC0, 0xC2, 0xC4, 0xD9, 0xDA, 0xDB, 0xDD, 0xEE))]
_RAW = [b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc0\x80", BETWEEN]
SIZES: Mapping[str, int] = {
    "coco": 700, "yolo": 300, "voc": 700, "dota": 240, "labelme": 700, "cvat": 600, "masks": 200, "hf": 500,
    "createml": 500, "openimages": 400, "webdataset": 3072, "names": 120, "recipe": 120, "policy": 100, "output": 3000,
    "verify": 800, "rle": 64, "json": 128, "xml": 256, "image": 800, "table": 240,
}  # fmt: skip


def words(name: str) -> list[bytes]:
    """What is likely to matter to a reader."""
    if name == "image":
        return [*(word.encode() for word in WORDS[name].split()), *_MARKERS]
    known = [word.encode() for word in f"{WORDS[name]} {_NUMBERS} {_PLACES}".split()]
    return [*dict.fromkeys([*known, *(bytes([sign]) for sign in _TAIL), *_RAW])]


def seeds(name: str) -> Iterable[bytes]:
    harness = readers.HARNESSES[name]
    if isinstance(harness, Labels):
        yield from harness.seeds()
        if name in MORE:
            yield from MORE[name]()
    else:
        yield from MORE[name]()


def _names() -> Iterable[bytes]:
    trees = (
        b"cat/a.png\ndog/b.png", b"train/cat/a.png\nval/dog/b.png", b"a.png\nb.png", b"images/a.png\nmasks/a.png",
        b"a.jpg\na_mask.png", b"leftImg8bit/train/u/x_leftImg8bit.png\ngtFine/train/u/x_gtFine_labelIds.png",
        b"train/1.png\ntrainannot/1.png\ntrain.txt", b"images/image_1.png\nmasks/gt_1.png\nclasses.txt",
    )  # fmt: skip
    return (kind + tree for kind, tree in product((b"f", b"m", b"d"), trees))


def _recipes() -> Iterable[bytes]:
    yield b"version: 1\ncopies: 2\ntransforms: [HorizontalFlip]\n"
    yield b"version: 1\ntransforms:\n- Affine: {rotate: [-9, 9], p: 0.5}\n"
    yield b"version: 1\ntransforms: [{OneOf: [{Blur: {p: 1}}, Transpose], p: 1}]\n"
    yield b"version: 1\ntransforms: [{SomeOf: {n: 1, transforms: [Transpose, {OneOf: [Blur]}]}}]\n"
    yield b"version: 1\nseed: 7\nbalance: {cat: 3}\nsplits: [train]\ntransforms: []\n"
    yield b"version: 1\nsplit: {val: 0.1, by: x}\nreject: {flat: true}\ntransforms: [{mixup: {p: 1}}]\n"
    yield b"version: 1\nlabels: {min_area: 2, keypoint_pairs: [[0, 1]]}\nvalues: {a: negate_on_flip}\ntransforms: []\n"
    yield b"version: 1\ntransforms: []\noverrides: [{when: {class: cat}, copies: 3, transforms: [Blur]}]\n"
    yield b"version: 1\ntransforms: [{inside: {classes: [cat], transforms: [Blur]}}]\n"
    yield b"version: 1\noutput: {image: {format: png, quality: 9}}\nlimits: {pixels: 9}\ntransforms: []\n"
    yield b"version: 1\nx: &a [*b]\ny: *a\n!!str z: 0x1F\n? w\n: |\n  t\n"


def _policies() -> Iterable[bytes]:
    yield b"version: 1\npolicies:\n- [{Rotate: {p: 0.7, m: 4}}, {Equalize: {p: 0.8}}]\n"
    yield b"version: 1\npolicies: [[{Affine: {scale: [0.8, 1.2], p: 0.5}}, Invert]]\n"
    yield b"policies: [[], [Identity], {}]"


def _runs() -> Iterable[bytes]:
    from augx.rle import rle_encode

    plane = np.zeros((30, 40), np.uint8)
    plane[5:15, 5:20] = 1
    for pixels in (plane, plane * 0, plane * 0 + 1, np.tile(np.array([0, 1], np.uint8), (6, 3))):
        height, width = pixels.shape
        packed, plain = rle_encode(pixels), rle_encode(pixels, plain=True)
        yield bytes((width, height, 6)) + str(packed.counts).encode()
        yield bytes((width, height, 7)) + np.array(plain.counts, ">i2").tobytes()
    yield bytes((255, 255, 0)) + b"PPPPo0"


def _json() -> Iterable[bytes]:
    yield b'{"a": [1, 2.5, -1e5, "x"], "images": [{"id": 1}], "b": {"c": null}}'
    yield b'\xef\xbb\xbf{ "a" : [ ] , "\\u00e9" : true }\n'
    yield '{"é": "\u2028𝄞", "images": null}'.encode()


def _xml() -> Iterable[bytes]:
    yield b'<a b="1"><c>1</c><c>2.5</c>x<d/></a>'
    yield b"<a><attributes><attribute><name>n</name><value>1</value></attribute></attributes></a>"
    yield '<?xml version="1.0" encoding="latin-1"?><a é="ü">\xe9<!-- c --><![CDATA[<]]></a>'.encode("latin-1")


def _tars() -> Iterable[bytes]:
    def text(value: Any) -> bytes:
        return json.dumps(value).encode()

    pixel = saved(Image.new("L", (2, 2)))
    objects = {"objects": {"bbox": [[4, 5, 12, 10]], "category": ["cat"]}}
    yield b"0" + wild_data.tar([("a.png", b"x"), ("a.json", text(objects))], 2560)
    yield b"0" + wild_data.tar([("a.png", b"x"), ("a.cls", b"cat")], 2048)
    yield b"0" + wild_data.tar([("a.jpg", b""), ("a.txt", b"hi")], 2048)
    yield b"0" + wild_data.tar([("a.png", pixel), ("a.seg.png", pixel)])[:2560]
    yield b"0" + wild_data.tar([("d/" + "x" * 120 + ".png", b"x")])[:3072]


def _images() -> Iterable[bytes]:
    """All kinds of files that are read, as small as they get."""
    ramp = np.arange(8 * 6 * 4, dtype=np.uint8).reshape(6, 8, 4) * 5
    colour, grey = Image.fromarray(ramp[..., :3]), Image.fromarray(ramp[..., 0])
    alpha, deep = Image.fromarray(ramp, "RGBA"), Image.fromarray(ramp[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("PNG", "JPEG", "BMP", "WEBP", "TIFF"):
        yield saved(colour, kind)
        yield saved(grey, kind)
    for mode in ("P", "1", "LA", "RGBA", "PA"):
        with_alpha = alpha.convert(mode)
        yield saved(with_alpha, "PNG" if mode != "PA" else "TIFF") if mode != "PA" else b"II*\0"
    yield saved(colour, "JPEG", progressive=True, subsampling=0)
    yield saved(colour, "JPEG", exif=exif, icc_profile=b"\0" * 36 + b"acsp")
    yield saved(colour.convert("CMYK"), "JPEG")
    yield saved(colour, "JPEG", restart_marker_blocks=1)
    yield saved(colour, "MPO", save_all=True, append_images=[colour])
    yield saved(colour, "WEBP", lossless=True)
    yield saved(alpha, "WEBP")
    yield saved(colour, "WEBP", save_all=True, append_images=[colour.rotate(90)])
    yield saved(colour, "PNG", save_all=True, append_images=[colour.rotate(90)])
    yield saved(colour, "PNG", transparency=(0, 5, 10), exif=exif)
    yield saved(deep)
    yield saved(deep, "TIFF")
    for how in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "group3", "group4", "jpeg"):
        yield saved(grey.convert("1") if how.startswith("group") else colour, "TIFF", compression=how)
    yield saved(colour, "TIFF", exif=exif, save_all=True, append_images=[colour])
    yield saved(colour.quantize(4), "BMP")
    yield saved(colour.quantize(4), "TIFF")
    from augx.containers import deep_png, deep_tiff

    wide = ramp.astype(np.uint16) * 257
    for channels in (2, 3, 4):
        yield deep_png(wide[..., :channels], None, 6)
        yield deep_tiff(wide[..., :channels], None)
    yield from (b"", b"GIF89a", b"<html>", b"version https://git-lfs.github.com/spec/v1\n", b"\0" * 20, b"qoif")


MORE: Mapping[str, Callable[[], Iterable[bytes]]] = {
    "names": _names,
    "recipe": _recipes,
    "policy": _policies,
    "output": output_seeds,
    "verify": verify_seeds,
    "rle": _runs,
    "json": _json,
    "xml": _xml,
    "image": _images,
    "webdataset": _tars,
    "masks": lambda: [
        b"0" + b"64 128 64 Animal\nvoid\n" + b"\0\0images/a.png masks/a.png\n",
        b"1name,r,g,b\na,1,2,3\n\0\0images/a",
        b'2{"label_map": {"0": "background", "1": "cat"}}\0\0',
    ],
}
