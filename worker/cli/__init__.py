"""The command line: arguments and printing only, one module for a command or a family of them."""
