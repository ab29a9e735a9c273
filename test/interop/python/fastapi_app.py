import asyncio

from fastapi import APIRouter, FastAPI, Response

app = FastAPI()


@app.get("/health")
async def health():
    return "ok"


@app.api_route("/users/{id}", methods=["GET", "HEAD"])
async def user(id: str):
    return {"id": id}


@app.post("/orders", status_code=201)
async def order():
    return "created"


@app.get("/orders/{order}/items/{item}")
async def item(order: str, item: str):
    return {"order": order, "item": item}


@app.get("/boom")
async def boom():
    return Response("boom", 500)


@app.get("/files/{path:path}")
async def file(path: str):
    return {"path": path}


@app.get("/slow")
async def slow():
    await asyncio.sleep(0.05)
    return "slow"


v1 = APIRouter(prefix="/api/v1")


@v1.get("/things/{id}")
async def thing(id: str):
    return {"id": id}


app.include_router(v1)
