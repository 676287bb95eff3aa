"""The subcommands of `casewright`, one file per noun; wired in `commands.main`."""
