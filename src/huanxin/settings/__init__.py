"""What an installation sets, by file or environment."""

from huanxin.settings.fields import CONSOLE, CarrierOidc, CarrierSetting, Mode, OidcSetting, OperatorsOidc, Settings
from huanxin.settings.reading import note_served, read_settings, served_at

__all__ = [
    "CONSOLE",
    "CarrierOidc",
    "CarrierSetting",
    "Mode",
    "OidcSetting",
    "OperatorsOidc",
    "Settings",
    "note_served",
    "read_settings",
    "served_at",
]
