"""Cases that come from runs, feedback and incidents: without personal data, with what is right in a form to check."""
