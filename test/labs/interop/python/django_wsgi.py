from django.core.wsgi import get_wsgi_application

from rollcall_django import declare

application = get_wsgi_application()
declare()
