"""The app as Django knows it."""

from django.apps import AppConfig


class HuanxinAllauth(AppConfig):
    """Keeps the phone numbers of allauth's accounts."""

    name = "huanxin_partner.adapters.allauth"
    label = "huanxin_allauth"
    verbose_name = "Huanxin: phone numbers"
    default_auto_field = "django.db.models.BigAutoField"
