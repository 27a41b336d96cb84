"""The ``nlptk`` command: one file per command group; arguments in, library call, printed result out."""
