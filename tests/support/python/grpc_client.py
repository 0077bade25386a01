"""A client by Debian's python3-grpcio of service test.Calls in grpc_server.py.

Takes the outbound port of a sidecar, calls "callee" in every way and prints one JSON object: what came back, by name.
"""
import json
import sys
import threading

import grpc

BINARY = bytes(range(256))
options = [("grpc.default_authority", "callee"), ("grpc.enable_http_proxy", 0)]
channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}", options=options)
unary = channel.unary_unary("/test.Calls/Unary")
download = channel.unary_stream("/test.Calls/Download")
upload = channel.stream_unary("/test.Calls/Upload")
chat = channel.stream_stream("/test.Calls/Chat")


def metadata():
    sent = (("x-many", "one"), ("x-many", "two"), ("x-one-bin", BINARY))
    _, call = unary.with_call(b"metadata", metadata=sent, timeout=10)
    head = dict(call.initial_metadata())
    tail = call.trailing_metadata()
    return [
        head["x-head-bin"] == BINARY,
        ",".join(value for key, value in tail if key == "x-many"),
        [value == BINARY for key, value in tail if key == "x-one-bin"],
    ]


def refusal(request, timeout):
    try:
        unary(request, timeout=timeout)
    except grpc.RpcError as error:
        return [error.code().name, error.details()]


def dialogue():
    answered = threading.Semaphore(0)

    def questions():
        for turn in range(20):
            yield str(turn).encode()
            answered.acquire()

    answers = []
    for answer in chat(questions(), timeout=10):
        answers.append(answer.decode())
        answered.release()
    return answers


def broken():
    """What comes before an error, and the error."""
    seen = []
    try:
        for message in download(b"100 1000 1", timeout=10):
            seen.append(message[0])
    except grpc.RpcError as error:
        return [seen == list(range(100)), error.code().name, error.details()]


def cancel():
    call = unary.future(b"never", timeout=20)
    unary(b"echo", timeout=10)
    call.cancel()
    return unary(b"cancelled", timeout=20).decode()


def held():
    """What an upload could write while the server did not read, and what arrived in the end."""
    written = 0

    def messages():
        nonlocal written
        for _ in range(1600):
            written += 65536
            yield bytes(65536)

    call = upload.future(messages(), metadata=(("x-hold", "yes"),), timeout=60)
    # As much as would be in the stream goes by it in the meantime.
    for _ in range(35):
        unary(bytes(3 << 20), timeout=20)
    before = written
    unary(b"release", timeout=10)
    return [before, int(call.result())]


results = {
    "unary": unary(b"hello", timeout=10).decode(),
    "empty": len(unary(b"", timeout=10)),
    "large": len(unary(bytes(3 << 20), timeout=10)),
    "download": [int.from_bytes(message[:4], "little") for message in download(b"500 1000", timeout=10)],
    "upload": upload((bytes(65536) for _ in range(320)), timeout=20).decode(),
    "dialogue": dialogue(),
    "metadata": metadata(),
    "refusal": refusal(b"refuse", 10),
    "remaining": float(unary(b"remaining", timeout=10)),
    "broken": broken(),
    "cancelled": cancel(),
    "held": held(),
}
print(json.dumps(results))
