"""The words of the citizens' pages that depend on a code, and those that are agreed to."""

from __future__ import annotations

from datetime import date

from huanxin.request.ordering import Purpose
from huanxin.words import i18n
from huanxin.words.sentences import N_

GROUPS = {
    "app": N_("Apps and websites: accounts opened with the number"),
    "labeler": N_("Caller labels: what phones show when you call, such as “fraud” or “courier”"),
    "sender": N_("Senders: reminders, collection and advertising"),
}

STATES = {
    "sent": N_("not told yet"),
    "accepted": N_("received there"),
    "done": N_("done"),
    "needs": N_("needs you"),
    "pending": N_("being worked on there"),
    "late": N_("no answer"),
    "gone": N_("not connected any more"),
    "off": N_("called off"),
}
CHIPS = {"sent": "outstanding", "accepted": "waits", "done": "clear", "needs": "refused", "pending": "pending",
         "late": "refused", "gone": "held", "off": "retracted"}  # fmt: skip
"""The icon and colour of each state."""

ADVICE = {
    "debt": N_("They say that something is still to be paid on the old account. It is not your debt. Tell their customer "
               "service since when you hold the number and show your certificate, then ask again here."),
    "balance": N_("They say that the old account still holds money, which belongs to its owner. Ask their customer service "
                  "to give that account another way of signing in, then ask again here."),
    "frozen": N_("They have frozen the old account. Ask their customer service to take your number off it; the account may "
                 "stay frozen without it. Then ask again here."),
    "banned": N_("They have banned the old account. The ban is not meant for you: show your certificate and ask them to "
                 "take your number off the account and off their lists. Then ask again here."),
    "legal_hold": N_("A court or an authority wants things kept as they are. Nobody can change that for now. Ask again here "
                     "in a month."),
    "dispute": N_("Somebody else says that this account is theirs. Show their customer service your certificate, then ask "
                  "again here."),
    "other": N_("They gave no reason that we know. Ask their customer service why, then ask again here."),
}  # fmt: skip
"""What to do after a refusal, by its reason. It says what the partner said, not who the former owner was."""

ORDER_ONE = {"renew": N_("Renew at one service"), "leave": N_("Have one service cut my tie")}
ORDER_MANY = {"renew": N_("Renew at {count} services"), "leave": N_("Have {count} services cut my ties")}
"""What the button says, by purpose: at how many the order is placed."""

_CONSENT = {
    Purpose.RENEW: N_("I hold this number. Tell the services that I chose that it was opened for me on %(day)s, so that "
                      "they cut what was tied to it before. They get my number and this day, and nothing else."),
    Purpose.LEAVE: N_("I hold this number and will give it up. Tell the services that I chose to cut what is tied to it "
                      "until now, also my own accounts. They get my number, and nothing else."),
    Purpose.INQUIRE: N_("I hold this number. Ask the services that answer such questions whether something is tied to it. "
                        "They get my number, and nothing else."),
}  # fmt: skip


def consent(purpose: Purpose, lang: str, day: date | None) -> str:
    """What is agreed to, as it is shown and recorded."""
    text = i18n.translations(lang).gettext(_CONSENT[purpose])
    return text % {"day": i18n.day(day, lang)} if day and purpose is Purpose.RENEW else text
