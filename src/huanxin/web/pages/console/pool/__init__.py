"""The pool and the planner."""
