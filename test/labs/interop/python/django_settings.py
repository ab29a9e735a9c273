ALLOWED_HOSTS = ["127.0.0.1"]
APPEND_SLASH = False
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "django_urls"
SECRET_KEY = "not a secret: a service for a test"
WSGI_APPLICATION = "django_wsgi.application"
