"""`python -m api.cli`: the `latentdb` command where no console script is installed."""

from api.cli.main import main

main()
