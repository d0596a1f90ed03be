"""Renewal notices in a Django project (the extra `django`): add `huanxin_partner.django` to INSTALLED_APPS and migrate."""

from huanxin_partner.django.ties import DjangoTies

__all__ = ["DjangoTies"]
