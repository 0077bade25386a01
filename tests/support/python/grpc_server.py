"""A server by Debian's python3-grpcio whose messages are plain bytes: service test.Calls of grpc_app.ts, and health.

Prints its port. Unlike grpc-js on Deno it writes no faster than its peer reads, and reads no faster than it is told to.
"""
import sys
import threading
from concurrent import futures

import grpc

accepted = 0
released = threading.Event()
cancelled = threading.Event()


def unary(request, context):
    command = request.decode()
    if command == "accepted":
        return str(accepted).encode()
    if command == "release":
        released.set()
    elif command == "cancelled":
        cancelled.wait(20)
        return str(cancelled.is_set()).encode()
    elif command == "remaining":
        return str(context.time_remaining()).encode()
    elif command == "refuse":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Größe 100 % 🦕")
    elif command == "never":
        if not context.add_callback(cancelled.set):
            cancelled.set()
        cancelled.wait(20)
    elif command == "metadata":
        sent = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
        context.send_initial_metadata([("x-head-bin", bytes(range(256)))])
        context.set_trailing_metadata([(key, value) for key, value in sent if key in ("x-many", "x-one-bin")])
    return request


def download(request, context):
    global accepted
    count, size, *then = map(int, request.decode().split())
    accepted = 0
    for index in range(count):
        yield index.to_bytes(4, "little") + bytes(size - 4)
        accepted += size
    if then:
        context.abort(grpc.StatusCode.DATA_LOSS, "lost the rest")


def upload(requests, context):
    if ("x-hold", "yes") in context.invocation_metadata():
        released.wait(20)
    return str(sum(len(message) for message in requests)).encode()


def chat(requests, _):
    for message in requests:
        yield b"re: " + message
    yield b"you ended"


def check(_, __):
    return b"\x08\x01"


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
    calls = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Download": grpc.unary_stream_rpc_method_handler(download),
        "Upload": grpc.stream_unary_rpc_method_handler(upload),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
    }
    health = {"Check": grpc.unary_unary_rpc_method_handler(check)}
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("test.Calls", calls),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
    ))
    print(server.add_insecure_port(f"127.0.0.1:{port}"), flush=True)
    server.start()
    server.wait_for_termination()


serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
