"""The bookshop as an ASGI application. WORKER=here handles renewal events in this process; else run `huanxin_work`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookshop.settings")
application = get_asgi_application()

if os.environ.get("WORKER") == "here":
    from huanxin_partner.django.running import start_worker

    start_worker()
