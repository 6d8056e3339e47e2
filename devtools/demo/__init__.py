"""The demo: the main job on a real database, and failures that are caught, in front of whoever runs it."""
