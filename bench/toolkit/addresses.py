"""Its addresses, and the application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application
from django.urls import include, path

application = get_wsgi_application()
urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
