"""People who have signed in to a test site."""

from __future__ import annotations

from tests.nodes import Site

LOGIN = """
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.auth.models import Permission
user, _ = User.objects.get_or_create(username="{name}")
if "{may}":
    user.user_permissions.add(Permission.objects.get(codename="{may}"))
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
print(session.session_key)
"""


def sign_in(site: Site, name: str, may: str = "") -> str:
    return "sessionid=" + site.shell(LOGIN.format(name=name, may=may))
