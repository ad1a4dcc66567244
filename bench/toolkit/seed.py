"""Makes the tables, an app, a person, and as many codes as are asked for; what was made, as one line of JSON."""

import json
import secrets
import sys
from datetime import timedelta

import django
from django.core.management import call_command
from django.utils import timezone


def main(count: int, challenge: str, redirect_uri: str) -> None:
    """All codes are an app's of its own, for a person of its own, and hold the same PKCE challenge."""
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User  # noqa: PLC0415 -- models are there after the setup
    from oauth2_provider.models import AccessToken, Application, Grant  # noqa: PLC0415 -- as above

    expires = timezone.now() + timedelta(hours=1)
    public = {"client_type": "public", "authorization_grant_type": "authorization-code", "redirect_uris": redirect_uri}
    apps = Application.objects.bulk_create([Application(name=str(n), **public) for n in range(count)])
    people = User.objects.bulk_create([User(username=str(n)) for n in range(count)])
    known = {
        "redirect_uri": redirect_uri,
        "scope": "read",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    grants = [
        Grant(user=user, application=app, code=secrets.token_urlsafe(32), expires=expires, **known)
        for user, app in zip(people, apps, strict=True)
    ]
    Grant.objects.bulk_create(grants)
    asking = AccessToken.objects.create(
        user=people[0], application=apps[0], token=secrets.token_urlsafe(32), expires=expires, scope="introspection"
    )
    made = {"codes": [[each.application.client_id, each.code] for each in grants], "asking": asking.token}
    print(json.dumps(made))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
