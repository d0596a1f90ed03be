"""A shop whose customers come in by a code sent to their phone, or their e-mail: Django and allauth as documented."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ["SHOP_FOLDER"])
SECRET_KEY = "not a secret"
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "shop"
USE_TZ = True
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "shop.db", "OPTIONS": {"timeout": 30}}}
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "allauth", "allauth.account", "allauth.usersessions", "huanxin_partner.django", "huanxin_partner.adapters.allauth",
]  # fmt: skip
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware", "allauth.usersessions.middleware.UserSessionsMiddleware",
]  # fmt: skip
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]  # fmt: skip
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = FOLDER / "mail"
LOGIN_REDIRECT_URL = "/me"
ACCOUNT_ADAPTER = "shop.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"phone", "email"}
ACCOUNT_SIGNUP_FIELDS = ["phone*", "email"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_REQUIRED = False
ACCOUNT_RATE_LIMITS = False
if "SHOP_ISSUER" in os.environ:
    HUANXIN_PARTNER = {
        "issuer": os.environ["SHOP_ISSUER"], "client_id": "pc_1", "client_secret": "a-secret",
        "journal": FOLDER / "huanxin.db", "ties": "huanxin_partner.adapters.allauth.ties.AllauthTies",
    }  # fmt: skip
