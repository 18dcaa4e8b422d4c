"""One room per published resource: its shape, its rules and what each of its routes does.

A room changes the books only through the `Work` it is handed, so that a refusal leaves no trace.
"""
