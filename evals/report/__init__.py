"""The report of an evaluation for people: one HTML file and one Markdown file, from what is on record of it.

Every text in it is taken as hostile, since cases are made to be: `markup` and `markdown` are the only places that write
HTML and Markdown. It decides nothing; the verdict is that of `evals.gates`.
"""
