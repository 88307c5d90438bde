"""What a study found, as evidence that a person can check: a page, Markdown, JSON."""
