"""A made-up world on which the main job runs with real servers, and its audit."""
