"""Workers and their jobs: whatever happens without anybody asking at that moment."""
