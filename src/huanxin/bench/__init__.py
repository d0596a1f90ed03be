"""The main job timed at size, beside two obvious builds on the same data in the same run."""
