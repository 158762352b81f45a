"""Semantic masks, in and out."""

import pytest

from augx import formats
from augx.errors import InputError
from augx.formats import ReadOptions, class_table
from augx.formats.masks import names as mask_names
from augx.formats.masks.format import Masks
from augx.model import Annotations, Beside, Dataset, Object, Sample

GREY = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0"
RGB = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"


def plant(root, *names, **files):
    for name, content in {**dict.fromkeys(names, GREY), **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(root)


def read(root, labels=None):
    return Masks().read(str(root), ReadOptions(labels=labels))


def flaws(found):
    return [(flaw.code, flaw.source) for flaw in found]


def masks(dataset):
    return {s.id: (s.split, s.annotations.mask) for s in dataset.samples}


@pytest.mark.parametrize(
    ("image", "mask", "split", "copy"),
    [
        ("images/1.jpg", "masks/1.png", None, "masks/1_aug01.png"),
        ("Images/1.jpg", "Masks/1.png", None, "Masks/1_aug01.png"),
        ("train/1.png", "trainannot/1.png", "train", "trainannot/1_aug01.png"),
        ("train/1.png", "train_labels/1_L.png", "train", "train_labels/1_aug01_L.png"),
        ("val_images/1.jpg", "val_masks/1_mask.gif.png", None, None),
        ("val_images/1.jpg", "val_masks/1_mask.png", "val", "val_masks/1_aug01_mask.png"),
        ("images/train/1.jpg", "annotations/train/1.png", "train", "annotations/train/1_aug01.png"),
        ("train/images/s/1.jpg", "train/masks/s/1.PNG", "train", "train/masks/s/1_aug01.png"),
        ("1.jpg", "1_mask.png", None, "1_aug01_mask.png"),
        ("1.jpg", "1.mask.png", None, "1_aug01.mask.png"),
        ("a/1_sat.jpg", "a/1_mask.png", None, "a/1_mask_aug01.png"),
        ("1.jpg", "masks/1-seg.bmp", None, "masks/1_aug01-seg.png"),
        ("images/image_1.png", "masks/gt_1.png", None, "masks/gt_1_aug01.png"),
        (
            "leftImg8bit/val/ulm/ulm_1_leftImg8bit.png",
            "gtFine/val/ulm/ulm_1_gtFine_labelIds.png",
            "val",
            "gtFine/val/ulm/ulm_1_gtFine_labelIds_aug01.png",
        ),
    ],
)
def test_layouts(tmp_path, image, mask, split, copy):
    plant(tmp_path, image, mask)
    if copy is None:
        with pytest.raises(InputError, match="no image has a mask"):
            read(tmp_path)
        return
    dataset = read(tmp_path)
    (sample,) = dataset.samples
    assert masks(dataset) == {image: (split, mask)}
    assert (dataset.warnings, dataset.failed) == ((), ())
    assert Masks().detect(str(tmp_path)) == f"{mask} for {image}"
    assert Masks().place(sample, dataset) == image.rpartition("/")[0]
    (beside,) = Masks().beside(sample, dataset, image.rpartition(".")[0])
    assert beside.kind == "mask"
    assert f"{beside.stem}_aug01{beside.ending}" == copy
    folder, _, name = image.rpartition("/")
    again = f"{folder}/{name.replace('.', '_aug01.')}" if folder else name.replace(".", "_aug01.")
    plant(tmp_path, again, copy)
    assert masks(read(tmp_path))[again] == (split, copy)


def test_odd_files(tmp_path):
    plant(tmp_path, "images/1.jpg", "images/2.jpg", "images/3.jpg", "images/4.jpg", "images/4.png", "test/9.jpg")
    plant(tmp_path, "masks/1.png", "masks/1_mask.png", "masks/3.jpg", "masks/4.png", "masks/5.png", "masks/x/1.png")
    dataset = read(tmp_path)
    assert masks(dataset) == {
        "images/1.jpg": (None, "masks/1.png"),
        "images/2.jpg": (None, None),
        "images/4.jpg": (None, None),
        "images/4.png": (None, None),
    }
    assert flaws(dataset.failed) == [("mask-lossy", "images/3.jpg")]
    assert flaws(dataset.warnings) == [
        ("ambiguous-file", "masks/4.png"),
        ("no-image", "masks/5.png"),
        ("no-image", "masks/x/1.png"),
        ("mask-unused", "masks/1_mask.png"),
        ("unused-folder", "test"),
        ("no-label", "images/2.jpg"),
        ("no-label", "images/4.jpg"),
        ("no-label", "images/4.png"),
    ]
    assert Masks().beside(dataset.samples[1], dataset, "images/2") == ()


def test_cityscapes(tmp_path):
    folder = "gtFine/train/ulm/ulm_1_gtFine"
    kinds = ("color", "instanceIds", "labelIds", "labelTrainIds")
    plant(tmp_path, "leftImg8bit/train/ulm/ulm_1_leftImg8bit.png", *(f"{folder}_{kind}.png" for kind in kinds))
    plant(tmp_path, "leftImg8bit/test/rom/rom_1_leftImg8bit.png", **{f"{folder}_polygons.json": "{}"})
    dataset = read(tmp_path)
    rom, ulm = dataset.samples
    assert (rom.split, rom.annotations) == ("test", Annotations())
    assert ulm.annotations == Annotations(mask=f"{folder}_labelIds.png", instances=f"{folder}_instanceIds.png")
    assert [(flaw.code, flaw.source) for flaw in dataset.warnings] == [
        ("mask-unused", f"{folder}_color.png"),
        ("mask-unused", f"{folder}_labelTrainIds.png"),
        ("no-label", rom.id),
    ]
    assert Masks().beside(ulm, dataset, "leftImg8bit/train/ulm/ulm_1_leftImg8bit") == (
        Beside("mask", f"{folder}_labelIds", ".png"),
        Beside("instances", f"{folder}_instanceIds", ".png"),
    )
    assert dataset.ignore is None
    (tmp_path / f"{folder}_labelIds.png").unlink()
    assert read(tmp_path).ignore == 255


def test_the_user_names_the_folder(tmp_path):
    plant(tmp_path, "photos/1.jpg", "photos/2.jpg", "truth/fine/1.png", "truth/coarse/1.png", "truth/fine/gt_2.png")
    with pytest.raises(InputError, match="no image has a mask"):
        read(tmp_path)
    dataset = read(tmp_path, "truth/fine/")
    assert masks(dataset)["photos/2.jpg"] == (None, "truth/fine/gt_2.png")
    with pytest.raises(InputError, match="no labels in a folder 'gone'"):
        read(tmp_path, "gone")
    with pytest.raises(InputError, match="no table"):
        Masks().read(str(tmp_path), ReadOptions(table="x.csv"))


def test_lists_and_tables_are_written_again(tmp_path):
    plant(tmp_path, "train/1.png", "trainannot/1.png", "train/2.png", "trainannot/2.png")
    table = "# the classes\r\n64 128 64\tAnimal\r\n0 0 0\tVoid\r\n"
    plant(
        tmp_path,
        **{
            "train.txt": "/SegNet/CamVid/train/1.png /SegNet/CamVid/trainannot/1.png\r\n/gone.png /gone.png\r\n",
            "val.txt": "1\n",
            "test.txt": "nothing\n",
            "notes.txt": "train/1.png\n",
            "label_colors.txt": table,
        },
    )
    dataset = read(tmp_path)
    assert dataset.classes == ("Animal", "Void")
    assert dataset.ignore == 1
    assert dataset.ignored == {".txt": 2}
    assert flaws(dataset.warnings) == [("listed-missing", "train.txt")]
    rows = [
        {"source": f"train/{name}.png", "file_name": f"train/{name}{copy}.png", "mask": f"trainannot/{name}{copy}.png"}
        for name in "12"
        for copy in ("", "_aug01")
    ]
    assert {name: "".join(text) for name, text in Masks().write(rows, dataset)} == {
        "train.txt": "/SegNet/CamVid/train/1.png /SegNet/CamVid/trainannot/1.png\n"
        "/SegNet/CamVid/train/1_aug01.png /SegNet/CamVid/trainannot/1_aug01.png\n",
        "val.txt": "1\n1_aug01\n",
        "label_colors.txt": table,
    }
    assert [name for name, _ in Masks().write([], dataset)] == ["train.txt", "val.txt", "label_colors.txt"]
    assert repr(dataset.details) == "Details()"
    plant(tmp_path, **{"val.txt": "2\n"})
    assert read(tmp_path).digest not in ("", dataset.digest)


def test_lists_say_the_split_where_folders_do_not(tmp_path):
    plant(tmp_path, "images/1.jpg", "images/2.jpg", "images/3.jpg", "masks/1.png", **{"sets/valid.txt": "2\n3\n"})
    plant(tmp_path, **{"sets/train.txt": "images\\1.jpg\n./images/2.jpg\n"})
    assert {image: split for image, (split, _) in masks(read(tmp_path)).items()} == {
        "images/1.jpg": "train",
        "images/2.jpg": "train",
        "images/3.jpg": "val",
    }


def test_where_colours_are_classes_no_number_is_void(tmp_path):
    plant(tmp_path, "images/1.jpg", **{"masks/1.png": RGB, "classes.txt": "road\nvoid\n"})
    assert read(tmp_path).ignore is None


@pytest.mark.parametrize(
    ("name", "content", "names", "ignore"),
    [
        ("classes.txt", "\ufeffroad\r\n\r\nvoid\r\nsea side\r\n", ("road", "void", "sea side"), 1),
        ("class_names.txt", "_background_\naeroplane\n", ("_background_", "aeroplane"), None),
        ("labels.txt", "__ignore__\n_background_\ncat\n", ("_background_", "cat"), None),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:1,2,3:head:sit\n",
            ("background", "cat"),
            None,
        ),
        ("label_colors.txt", "64 128 64\tAnimal\n0 0 0\tVoid thing\n", ("Animal", "Void thing"), None),
        ("label_colors.txt", "Animal 64 128 64\nUnlabelled 0 0 0", ("Animal", "Unlabelled"), 1),
        ("labelmap.csv", "name,r,g,b\nbackground,0,0,0\ncat,255,0,0\n", ("background", "cat"), None),
        ("class_dict.csv", '"name","r","g","b"\n"Ignore","0","0","0"\n', ("Ignore",), 0),
        ("label_map.csv", "1,cat\n0,dog\n", ("cat", "dog"), None),
        ("label_map.csv", "index,name\n1,cat\n0,dog\n", ("dog", "cat"), None),
        ("label_map.csv", "name,id\ncat,7\nvoid,255\n", (), 255),
        ("label_map.csv", "name,id\ncat,seven\n", (), None),
        ("label_map.csv", "id,name\n1\n", (), None),
        ("dataset_meta.json", '{"label_map": {"0": "Void", "1": "a"}, "segmentation_colors": []}', ("Void", "a"), 0),
        ("dataset_meta.json", '{"label_map": ["a", "b"]}', ("a", "b"), None),
        ("dataset_meta.json", '{"label_map": {"a": 0}}', (), None),
        ("dataset_meta.json", "[" * 100_000, (), None),
        ("dataset_meta.json", "null", (), None),
        ("classes.txt", "", (), None),
        ("classes.txt", "void\nvoid\n", ("void", "void"), None),
    ],
)
def test_class_tables(tmp_path, name, content, names, ignore):
    plant(tmp_path, **{name: content})
    assert class_table.read(str(tmp_path), [name]) == class_table.ClassTable(names, ignore, (name,))
    assert [(path, "".join(text)) for path, text in class_table.kept(str(tmp_path), [name])] == [(name, content)]


def test_the_nearest_table_counts(tmp_path):
    plant(
        tmp_path,
        **{"a/classes.txt": "deep", "classes.txt": "near", "label_colors.txt": b"\xff", "labels.txt": "x" * (1 << 21)},
    )
    documents = ["a/classes.txt", "classes.txt", "label_colors.txt", "labels.txt", "gone/classes.txt", "x.txt"]
    assert class_table.read(str(tmp_path), documents) == class_table.ClassTable(
        ("near",), None, ("a/classes.txt", "classes.txt")
    )


@pytest.mark.parametrize(
    "names",
    [
        ("mask/1.jpg", "no_mask/1.jpg"),
        ("with_mask/1.jpg", "without_mask/1.jpg"),
        ("JPEGImages/1.jpg", "SegmentationClass/1.png"),
        ("images/1.jpg", "Masks/1_mask_1.png", "Masks/1_mask_5.png"),
        ("images/1.jpg", "labels/1.txt"),
        ("a_label/1.jpg", "b_label/1.jpg"),
        ("1.jpg", "2.jpg", "3.jpg", "3_mask.png", "4.jpg"),
        ("1_rgb.tga", "1_l.png"),
        ("images/1.jpg", "images/2.jpg", "masks/3.png"),
        ("train/images/1.jpg", "train/v1.2/labels/1.png"),
        ("images/1.jpg", "masks/1.png", "metadata.jsonl"),
        ("train2017/1.jpg", "panoptic_train2017/1.png"),
    ],
)
def test_not_taken_for_masks(tmp_path, names):
    assert Masks().detect(plant(tmp_path, *names)) == ""


def test_what_a_name_says():
    assert mask_names.of_mask("x_gtFine_labelTrainIds_aug02") == ("", "x_aug02", "_gtFine_labelTrainIds")
    assert mask_names.of_mask("_mask") == ("", "_mask", "")
    assert mask_names.of_mask("gt_") == ("", "gt_", "")
    assert mask_names.of_mask("gt_1_MASK") == ("gt_", "1", "_MASK")
    assert mask_names.of_image("IMG_1_rgb_aug01_aug02") == ("IMG_", "1_aug01_aug02", "_rgb")


def test_written_from_another_format():
    one = Sample("x/1.jpg", Annotations(mask="SegmentationClass/1.png", instances="SegmentationObject/1.png"), "train")
    two = Sample("x/2.jpg", Annotations(mask="m/2.png"))
    three = Sample("x/3.jpg")
    dataset = Dataset("/nowhere", "voc", (one, two, three), ("_background_", "cat"))
    target = Masks()
    target.check(dataset, False)
    assert [target.place(sample, dataset) for sample in dataset.samples] == ["images/train", "images", "images"]
    assert target.beside(one, dataset, "images/train/1") == (Beside("mask", "masks/train/1", ".png"),)
    assert target.beside(two, dataset, "images/2") == (Beside("mask", "masks/2", ".png"),)
    assert target.beside(three, dataset, "images/3") == ()
    assert [(name, "".join(text)) for name, text in target.write([], dataset)] == [
        ("class_names.txt", "_background_\ncat\n")
    ]
    labelled = Sample("x/4.jpg", Annotations(objects=(Object("cat", (0, 0, 1, 1)),)))
    assert list(target.write([], Dataset("/nowhere", "voc", (one, labelled), ("cat",)))) == []
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        target.check(Dataset("/nowhere", "voc", (Sample("1.jpg", split="a/../b"),)), False)


def test_it_is_the_format_called_masks():
    assert isinstance(formats.load("masks"), Masks)
    assert formats.FORMATS["masks"].summary == Masks.summary
