"""To include where the platform is to push: `path("huanxin/events/", include("huanxin_partner.django.urls"))`."""

from django.urls import path

from huanxin_partner.django.views import take

urlpatterns = [path("", take, name="huanxin_events")]
