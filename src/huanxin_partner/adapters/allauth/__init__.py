"""django-allauth's phone accounts: add `huanxin_partner.django` and this to INSTALLED_APPS, and migrate.

allauth keeps no phone numbers itself: a project stores them, and says how in the hooks of its account adapter. Here
`models.Phone` stores them with the time of binding, `accounts.PhoneAccounts` is the hooks, `ties.AllauthTies` the tie store.
"""
