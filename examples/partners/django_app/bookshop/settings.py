"""The bookshop's settings. What renewal needs is marked."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

BASE_DIR = Path(__file__).parents[1]
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-trying-it-out")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "bookshop.urls"
ASGI_APPLICATION = "bookshop.asgi.application"
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
LOGGING = {
    "version": 1, "disable_existing_loggers": False, "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}  # fmt: skip


def database(url: str) -> dict[str, object]:
    """Django's form of `sqlite:///shop.db` or `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path.removeprefix("/"), "OPTIONS": {"timeout": 30}}
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]  # ?host=/folder for a socket
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": parts.path[1:], "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""), "HOST": host, "PORT": parts.port or "",
    }  # fmt: skip


DATABASES = {"default": database(os.environ.get("DATABASE_URL", f"sqlite:///{BASE_DIR}/books.db"))}

# Renewal: the app, and the partner.
INSTALLED_APPS = ["shop", "huanxin_partner.django"]
HUANXIN_PARTNER = {
    "issuer": os.environ.get("HUANXIN_ISSUER"),
    "client_id": os.environ.get("HUANXIN_CLIENT_ID"),
    "client_secret": os.environ.get("HUANXIN_CLIENT_SECRET"),
    "journal": os.environ.get("HUANXIN_JOURNAL", BASE_DIR / "huanxin.db"),
    "ties": "shop.renewal.ties",
}
