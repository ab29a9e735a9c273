import os
import time

from flask import Blueprint, Flask

from rollcall_flask import declare

app = Flask(__name__)


@app.get("/health")
def health():
    return "ok"


@app.get("/users/<id>")
def user(id):
    return {"id": id}


@app.post("/orders")
def order():
    return "created", 201


@app.get("/orders/<order>/items/<item>")
def item(order, item):
    return {"order": order, "item": item}


@app.get("/boom")
def boom():
    raise RuntimeError("boom")


@app.get("/files/<path:path>")
def file(path):
    return {"path": path}


@app.get("/slow")
def slow():
    time.sleep(0.05)
    return "slow"


v1 = Blueprint("v1", __name__, url_prefix="/api/v1")


@v1.get("/things/<id>")
def thing(id):
    return {"id": id}


app.register_blueprint(v1)
declare(app)

if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
