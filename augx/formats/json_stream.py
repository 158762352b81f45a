"""A JSON object read member by member, its long lists element by element, so that a large file is never held whole."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO

from augx.errors import InputError
from augx.model import Json

CHUNK = 4 << 20  # bytes read at a time
LIMIT = 64 << 20  # characters of one value: what is longer is no label
_SPACE = re.compile(r"[ \t\n\r]*")
_CUT = 16  # how near to the end of the text an error may only mean that a number or word is cut off there


class JsonStream:
    """The members of the object in `file`, once: (key, value), and (key, element) for each element of those `lists`.

    `keys`: those met so far, in order, of empty lists too. `sha256`: of the whole file, when all is read.
    `place()`: where the value given last begins. InputError where the file is no JSON object in UTF-8, or hostile:
    nested too deep, a value too long, no list (null is an empty one), a key twice. NaN and infinity are read as floats.
    """

    def __init__(self, file: BinaryIO, name: str, lists: Collection[str]) -> None:
        self.keys: dict[str, None] = {}
        self.sha256 = ""
        self._file, self._name, self._lists = file, name, lists
        self._hash = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan: Callable[[str, int], tuple[Json, int]] = json.JSONDecoder(strict=False).raw_decode
        self._text, self._at, self._ended = "", 0, False
        self._value_at = 0
        self._bytes, self._lines = 0, 1  # of what came before `_text`

    def __iter__(self) -> Iterator[tuple[str, Json]]:
        if self._next() != "{":
            raise self._error("an object with images and annotations must begin here", self._at)
        self._at += 1
        for key in self._elements("}"):
            if not isinstance(key, str):
                raise self._error("a key must stand here, in quotation marks", self._value_at)
            if key in self.keys:
                raise self._error(f"the key {key[:80]!r} stands in it twice", self._value_at)
            self.keys[key] = None
            self._expect(":")
            if key not in self._lists:
                yield key, self._value()
                continue
            if self._next() != "[":
                if self._value() is not None:
                    raise self._error(f"{key} must be a list", self._value_at)
                continue
            self._at += 1
            for value in self._elements("]"):
                yield key, value
        if self._next():
            raise self._error("nothing may follow the object", self._at)
        self.sha256 = self._hash.hexdigest()

    def place(self) -> str:
        return self._place(self._value_at)

    def _elements(self, end: str) -> Iterator[Json]:
        """The elements of a list, or the keys of an object, whose values are taken in between."""
        if self._next() != end:
            yield self._value()
            while self._next() == ",":
                self._at += 1
                yield self._value()
        self._expect(end)

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise self._error(f"{sign!r} expected", self._at)
        self._at += 1

    def _next(self) -> str:
        """The next sign, "" at the end of the file."""
        sign = self._text[self._at : self._at + 1]
        if sign > " ":
            return sign
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(CHUNK):
                return ""

    def _value(self) -> Json:
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
                if end < len(self._text) - 2 or self._ended:  # 1 may be what is there of 1e-5
                    self._value_at, self._at = self._at, end
                    return value
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._text) - _CUT or error.msg.startswith("Unterminated string")
                if self._ended or not cut:
                    raise self._error(error.msg, len(self._text) if cut else error.pos) from None
            except RecursionError:
                raise self._error("it is nested too deep", self._at) from None
            except ValueError:
                raise self._error("a number has too many digits", self._at) from None
            length = len(self._text) - self._at
            if length > LIMIT:
                raise self._error(f"one value is longer than {LIMIT >> 20} million characters", self._at)
            self._more(max(CHUNK, length))  # doubled each time, as the value is scanned from its beginning again

    def _more(self, size: int) -> bool:
        """Reads on, and forgets what lies behind; False at the end of the file."""
        behind = self._text[: self._at]
        self._bytes += len(behind) if behind.isascii() else len(behind.encode())
        self._lines += behind.count("\n")
        try:
            data = self._file.read(size)
        except OSError as error:
            raise InputError(
                f"{self._name} cannot be read: {error.strerror}", "is it whole, and may you read it?"
            ) from None
        self._hash.update(data)
        self._ended = not data
        ahead = self._text[self._at :]
        try:
            self._text, self._at = ahead + self._decoder.decode(data, self._ended), 0
        except UnicodeDecodeError as error:
            place = self._bytes + len(ahead.encode()) + error.start
            message = f"{self._name}: byte {place} or near it (0x{error.object[error.start]:02x}) is no UTF-8"
            raise InputError(message, "save the file as UTF-8") from None
        return bool(data)

    def _place(self, at: int) -> str:
        before = self._text[:at]
        return f"{self._name}:{self._lines + before.count(chr(10))} (byte {self._bytes + len(before.encode()):,})"

    def _error(self, reason: str, at: int) -> InputError:
        if at >= len(self._text) and self._ended:
            return InputError(f"{self._place(at)}: the file ends in the middle", "is it downloaded or copied whole?")
        return InputError(f"{self._place(at)}: {reason}", "the file must be JSON: export or copy it again")
