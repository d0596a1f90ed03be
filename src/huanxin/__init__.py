"""Huanxin 号码焕新: renew phone numbers before they are sold again."""
