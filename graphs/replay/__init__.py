"""A whole run again from its records: present code over recorded tools, models, answers and times; nothing is kept."""
