// google.rpc.Status as JSON (google/rpc/status.proto), with the details spelled out where their types are known.
import { fromBinary, type JsonObject, type Registry, toJson } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { knownFiles } from "../schema/known_files.ts";
import type { CallStatus } from "./call_status.ts";

/** `{"code":5,"message":"...","details":[...]}` in one line. */
export function statusJson(status: CallStatus, registry: Registry): string {
  const { code, message, details } = status;
  return JSON.stringify({ code, message, details: detailsJson(details, registry) });
}

/** What cannot be read is left out: the code and the message are the answer, the details only help. */
function detailsJson(details: string | undefined, registry: Registry): JsonObject[] {
  if (details === undefined) return [];
  try {
    const schema = knownFiles().registry.getMessage("google.rpc.Status")!;
    const status = fromBinary(schema, base64Decode(details)) as unknown as { details: Any[] };
    return status.details.map((any) => anyJson(any, registry));
  } catch {
    return [];
  }
}

/** An Any of a type that is not known keeps its bytes. */
function anyJson(any: Any, registry: Registry): JsonObject {
  try {
    return toJson(AnySchema, any, { registry }) as JsonObject;
  } catch {
    return { "@type": any.typeUrl, value: base64Encode(any.value) };
  }
}
