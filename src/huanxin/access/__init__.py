"""Who works with the platform: operators, how they sign in, what they looked at."""
