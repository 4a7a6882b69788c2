"""How a request's body comes in: not packed, not too large, not too slowly. Asked for only once its headers are right."""

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

MOST_BYTES = 256 * 1024
BODY_WITHIN = 10.0  # seconds


async def body_of(request: web.Request, *, within: float = BODY_WITHIN) -> bytes:
    """Raises the answer for what is not taken, whatever the length header claims."""
    if "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType(text="send it without Content-Encoding")
    if (request.content_length or 0) > MOST_BYTES:
        raise _too_large(request.content_length or 0)
    try:
        async with asyncio.timeout(within):
            return await _read(request)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="the body came too slowly") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise web.HTTPBadRequest(text="the body can't be read") from None


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MOST_BYTES:
            raise _too_large(len(body))
    return bytes(body)


def _too_large(size: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(MOST_BYTES, size, text="too large")
