// What is asked for by HTTP/2: unary calls in the shape of gRPC, small and large responses, and calls at a fixed rate.
import { requestHeaders, SMALL_BYTES, type Workload } from "./workloads.ts";

/** The prefix of five bytes (no compression, the length) and the message: 32 bytes asked, 35 answered. */
export const MESSAGE_BYTES = { request: 37, response: 40 } as const;
export const MIB_BYTES = 2 ** 20;
export const KILOBYTE = 1024;

/** The ending is how the backend, which serves files, knows the media type. */
export const CALL_PATH = "/user.UserService/GetUser.grpc";

export const KILOBYTE_PATH = "/users/kilobyte.grpc";

/** With method, scheme and path twelve fields: what a service's call through a mesh carries. */
function callHeaders(): Record<string, string> {
  return {
    ":authority": "user-service",
    "te": "trailers",
    "content-type": "application/grpc",
    "user-agent": "grpc-node-js/1.14.7",
    "grpc-accept-encoding": "identity,deflate,gzip",
    "grpc-timeout": "3S",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-request-id": "0b6f0f6e-3c3a-4bd1-9d6c-5a3b8f0c7d21",
    "x-user-id": "123",
  };
}

/** The fields of HTTP/1.1 in the words of HTTP/2 (RFC 9113 8.2). */
function getHeaders(token: string): Record<string, string> {
  const fields = Object.entries(requestHeaders(token)).map(([name, value]) =>
    [name === "Host" ? ":authority" : name.toLowerCase(), value] as const
  );
  return Object.fromEntries(fields);
}

const CALL = {
  method: "POST",
  path: CALL_PATH,
  headers: callHeaders,
  body: `\0\0\0\0${String.fromCharCode(MESSAGE_BYTES.request - 5)}`.padEnd(
    MESSAGE_BYTES.request,
    "m",
  ),
  responseBytes: MESSAGE_BYTES.response,
  connections: 8,
} as const;

const GET = { method: "GET", headers: getHeaders, body: "", connections: 8 } as const;

/** What a mesh is sold by: a thousand calls a second with a KiB back. */
export const PATH_WORKLOAD: Workload = {
  ...CALL,
  name: "path",
  title: "gRPC unary, 1 KiB back, at 1,000 calls a second",
  path: KILOBYTE_PATH,
  responseBytes: KILOBYTE,
  streams: 16,
  requestsPerSecond: 1000,
};

export const HTTP2_WORKLOADS: readonly Workload[] = [
  { ...CALL, name: "grpc", title: "gRPC unary, 8 connections x 16 streams", streams: 16 },
  { ...CALL, name: "grpc-m1", title: "gRPC unary, 8 connections x 1 stream", streams: 1 },
  {
    ...GET,
    name: "h2get",
    title: "GET, 128 bytes back, 8 connections x 16 streams",
    path: "/users/123",
    streams: 16,
    responseBytes: SMALL_BYTES,
  },
  {
    ...GET,
    name: "stream",
    title: "GET, 1 MiB back, 8 connections x 2 streams: a request is a MiB",
    path: "/users/large",
    streams: 2,
    responseBytes: MIB_BYTES,
  },
  {
    ...CALL,
    name: "latency",
    title: "gRPC unary at 1,000 calls a second",
    streams: 16,
    requestsPerSecond: 1000,
  },
];
