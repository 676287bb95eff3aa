"""The model gateway: named tasks, providers, prompts, and the one way to ask a model."""
