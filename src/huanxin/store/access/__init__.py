"""Who works with the platform, as stored: operators, sign-ins, what they looked at."""
