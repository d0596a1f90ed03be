"""The bookshop's tables: accounts with a phone number, login codes and sessions, orders."""

from django.db import models


class Account(models.Model):
    """A reader. The number may be NULL: an account without one keeps its name, coins and orders."""

    phone = models.CharField(max_length=16, null=True, unique=True)
    phone_bound_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=100)
    coins = models.IntegerField(default=0)

    class Meta:
        db_table = "accounts"

    def __str__(self) -> str:
        return self.name


class LoginCode(models.Model):
    """A code that was sent to a number."""

    phone = models.CharField(max_length=16, primary_key=True)
    code = models.CharField(max_length=6)
    sent_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "login_codes"

    def __str__(self) -> str:
        return self.phone


class LoginSession(models.Model):
    """Somebody who is logged in."""

    token = models.CharField(max_length=64, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE)

    class Meta:
        db_table = "login_sessions"

    def __str__(self) -> str:
        return str(self.account)


class Order(models.Model):
    """Books that were ordered; unpaid while `paid_at` is NULL."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    amount = models.IntegerField()
    paid_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "orders"

    def __str__(self) -> str:
        return f"{self.amount} by {self.account}"
