"""python -m stream.commands: the same as `twin`."""

from stream.commands import main

main()
