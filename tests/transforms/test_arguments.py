from augx.transforms.arguments import REQUIRED, arguments, describe


def test_arguments_as_a_person_reads_them() -> None:
    found = {name: (words, default) for name, words, default in arguments("RandomResizedCrop")}
    assert found["size"] == ("[height, width]", REQUIRED)
    assert found["scale"] == ("[low, high]", [0.08, 1.0])
    assert found["interpolation"][1] == "linear"
    assert "p" not in found
    assert arguments("Lambda") == [] == arguments("nothing")
    assert describe("Blur")["blur_limit"]["anyOf"][1] == {"type": "integer", "minimum": 0}
