"""The functions of the Python API; the command line prints what they return."""
