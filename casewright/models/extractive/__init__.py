"""How the offline provider answers each task: whole sentences and rules, nothing invented."""
