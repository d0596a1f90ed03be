"""Ask the shop's tie store: ties.py unbind|restore NUMBER CUTOFF. Prints outcomes, and who has the number then."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import django

if __name__ == "__main__":
    django.setup()
    from huanxin_partner.adapters.allauth.ties import AllauthTies

    method, number, cutoff = sys.argv[1:]
    store = AllauthTies()
    answers = getattr(store, method)([number], datetime.fromisoformat(cutoff))
    print(json.dumps({"outcomes": [answer.outcome for answer in answers], "bound": store.bound(number)}))
