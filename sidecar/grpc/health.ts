// The two messages of grpc.health.v1 (grpc's doc/health-checking.md), for active health checks.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { malformed } from "./framing.ts";

export const HEALTH_CHECK_PATH = "/grpc.health.v1.Health/Check";

const STATUSES = ["unknown", "serving", "not-serving", "service-unknown"] as const;

export type ServingStatus = (typeof STATUSES)[number];

/** HealthCheckRequest; the empty name asks for the server as a whole. */
export function encodeHealthRequest(service: string): Uint8Array {
  const writer = new BinaryWriter();
  if (service !== "") writer.tag(1, WireType.LengthDelimited).string(service);
  return writer.finish();
}

/** The status in a HealthCheckResponse; one that is newer than this list is `unknown`. Throws ProxyError on bytes that are none. */
export function decodeHealthResponse(bytes: Uint8Array): ServingStatus {
  try {
    return STATUSES[readStatus(bytes)] ?? "unknown";
  } catch (error) {
    throw malformed("upstream", "no HealthCheckResponse", error);
  }
}

function readStatus(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let status = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.Varint) status = reader.int32();
    else reader.skip(type, field);
  }
  return status;
}
