"""Rehearsal (演练): the scenarios by which a partner is tested before it goes live, with made-up numbers.

`scenarios.rehearse` runs them on a `stage.Stage`: offline that is `standin.StandIn` (`huanxin-partner selftest`), and in the
platform's sandbox the platform itself.
"""
