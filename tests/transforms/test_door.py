import pytest

from augx.errors import Refused
from augx.transforms.door import refuse_strangers


def test_versions_that_make_other_pixels_are_refused() -> None:
    refuse_strangers("2.0.8", None, "4.14.0")
    for albumentations, successor, opencv, word in (
        ("2.0.8", "2.1.0", "4.14.0", "albumentationsx 2.1.0"),
        ("2.0.7", None, "4.14.0", "here is 2.0.7"),
        (None, None, "4.14.0", "here is none"),
        ("2.0.8", None, "5.0.0", "here is 5.0.0"),
    ):
        with pytest.raises(Refused, match=word) as caught:
            refuse_strangers(albumentations, successor, opencv)
        assert caught.value.hint.startswith("pip ")
