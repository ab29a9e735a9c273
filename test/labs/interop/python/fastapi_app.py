import asyncio
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from rollcall_fastapi import declare

shop = APIRouter()
things = APIRouter()


@shop.get("/health")
async def health():
    return "ok"


@shop.api_route("/users/{id}", methods=["GET", "HEAD"])
async def user(id: str):
    return {"id": id}


@shop.post("/orders", status_code=201)
async def order():
    return "created"


@shop.get("/orders/{order}/items/{item}")
async def item(order: str, item: str):
    return {"order": order, "item": item}


@shop.get("/boom")
async def boom():
    raise RuntimeError("boom")


@shop.get("/files/{path:path}")
async def file(path: str):
    return {"path": path}


@shop.get("/slow")
async def slow():
    await asyncio.sleep(0.05)
    return "slow"


@things.get("/things/{id}")
async def thing(id: str):
    return {"id": id}


@asynccontextmanager
async def lifespan(served):
    declare(served)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(shop)
app.include_router(things, prefix="/api/v1")

# The same as an application of its own below a mount.
below = FastAPI()
below.include_router(things)
mounted = FastAPI(lifespan=lifespan)
mounted.include_router(shop)
mounted.mount("/api/v1", below)
