"""The app as Django knows it."""

from django.apps import AppConfig


class HuanxinPartner(AppConfig):
    """Keeps the record of what was cut, and has the command `huanxin_work`."""

    name = "huanxin_partner.django"
    label = "huanxin_partner"
    verbose_name = "Huanxin"
    default_auto_field = "django.db.models.BigAutoField"
