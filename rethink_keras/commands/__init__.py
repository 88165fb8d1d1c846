"""The commands in bin/: flags in, one call, exit code out."""
