"""`python -m augx` is `augx`."""

from augx.cli import main

if __name__ == "__main__":
    main()
