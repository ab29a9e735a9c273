import time

from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from django.views import View


def health(_request):
    return HttpResponse("ok")


def user(_request, id):
    return JsonResponse({"id": id})


class Orders(View):
    def post(self, _request):
        return HttpResponse("created", status=201)


def item(_request, order, item):
    return JsonResponse({"order": order, "item": item})


def boom(_request):
    raise RuntimeError("boom")


def file(_request, path):
    return JsonResponse({"path": path})


def slow(_request):
    time.sleep(0.05)
    return HttpResponse("slow")


def thing(_request, id):
    return JsonResponse({"id": id})


urlpatterns = [
    path("health", health),
    path("users/<id>", user),
    path("orders", Orders.as_view()),
    path("orders/<order>/items/<item>", item),
    path("boom", boom),
    path("files/<path:path>", file),
    path("slow", slow),
    path("api/v1/", include([path("things/<id>", thing)])),
]
