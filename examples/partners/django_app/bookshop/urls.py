"""The bookshop's addresses."""

from django.urls import include, path
from shop import views

urlpatterns = [
    path("login/code", views.send_code),
    path("login", views.log_in),
    path("me", views.me),
    path("huanxin/events/", include("huanxin_partner.django.urls")),  # renewal
]
