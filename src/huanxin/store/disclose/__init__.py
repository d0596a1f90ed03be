"""What buyers were told and what was certified, as stored."""
