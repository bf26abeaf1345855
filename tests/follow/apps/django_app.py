"""Django's ways to redirect: `app` (WSGI) and `asgi`; DETOUR_SECURE=1 enforces https."""

from __future__ import annotations

import os

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of a test",
    SECURE_SSL_REDIRECT=os.environ.get("DETOUR_SECURE") == "1",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from django.views.generic import RedirectView  # noqa: E402


@csrf_exempt
def here(request: HttpRequest) -> HttpResponse:
    return HttpResponse("here")


@csrf_exempt
def kept(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect("/slash/")
    response.status_code = 307  # what preserve_request=True does (5.2)
    return response


urlpatterns = [
    path("slash/", here),
    path("kept", kept),
    path("view", csrf_exempt(RedirectView.as_view(url="/slash/"))),
    path("view-for-good", csrf_exempt(RedirectView.as_view(url="/slash/", permanent=True))),
    path("private", csrf_exempt(login_required(here))),
]
app = get_wsgi_application()
asgi = get_asgi_application()
