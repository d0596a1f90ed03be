"""Connecting (接入): a company registers, proves its domain, passes the self-test, is admitted, goes live."""
