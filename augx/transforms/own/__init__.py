"""augx's own transforms, one thought a file; `base` says what they are. The catalog names them, lower case."""
