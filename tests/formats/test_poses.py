"""Left and right in the names of keypoints, as datasets write them."""

import pytest

from augx.formats.poses import swap_of

SIDED = ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
COCO = ["nose", *(f"{side}_{part}" for part in SIDED for side in ("left", "right"))]
MIDDLE = ["Nose", "Throat", "TailBase", "Withers"]
LEGS = ["F_Elbow", "B_Elbow", "F_Knee", "B_Knee", "F_Paw", "B_Paw"]
ANIMALPOSE = [
    *["L_Eye", "R_Eye", "L_EarBase", "R_EarBase"],
    *MIDDLE,
    *(f"{side}_{part}" for part in LEGS for side in "LR"),
]
ZEBRA = ["snout", "head", "neck", "forelegL1", "forelegR1", "hindlegL1", "hindlegR1", "tailbase", "tailtip"]
AIC = ["Right Shoulder", "Right Elbow", "Left Shoulder", "Left Elbow", "Head top", "Neck"]
MPII = ["rankle", "rknee", "rhip", "lhip", "lknee", "lankle", "pelvis", "upper_neck", "head_top", "rwrist", "lwrist"]


@pytest.mark.parametrize(
    ("names", "swap"),
    [
        (COCO, (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)),
        (ANIMALPOSE, (1, 0, 3, 2, 4, 5, 6, 7, 9, 8, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18)),
        (ZEBRA, (0, 1, 2, 4, 3, 6, 5, 7, 8)),
        (AIC, (2, 3, 0, 1, 4, 5)),
        (MPII, (5, 4, 3, 2, 1, 0, 6, 7, 8, 10, 9)),
        (["leftEye", "RightEye", "nose"], (1, 0, 2)),
        (["lEye", "REye"], (1, 0)),
        (["eye_l", "eye_r", "spine_1", "spine_2"], (1, 0, 2, 3)),
        (["eye.L", "eye.R"], (1, 0)),
        (["lefteye", "righteye"], (1, 0)),
        (["eyeleft", "eyeright"], (1, 0)),
        (["LEFT-EYE", "right eye"], (1, 0)),
        (["l", "r"], (1, 0)),
    ],
)
def test_pairs(names, swap):
    assert swap_of(names) == swap


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["nose", "mouth"],
        ["wrist", *(f"thumb{n}" for n in range(1, 5))],  # one hand
        ["left_eye", "nose"],
        ["left_eye", "right_eye", "left_ear"],
        ["lefteye", "nose"],
        ["left_eye", "right_eye", "left_eye"],
        [*COCO, *(f"face-{n}" for n in range(68))],
        ["", ""],
    ],
)
def test_nobody_knows(names):
    assert swap_of(names) is None


def test_a_word_that_begins_like_a_side_is_its_own_mirror():
    assert swap_of(["left_eye", "right_eye", "root", "lips"]) == (1, 0, 2, 3)
