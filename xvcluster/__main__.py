"""The command line as ``python -m xvcluster``."""

from xvcluster.cli import main

if __name__ == "__main__":
    main(prog_name="xvcluster")
