// What an operator can choose about transcoding; every default with its reason.
import { DEFAULT_MAX_MESSAGE_BYTES } from "../framing.ts";
import { GRPC, type GrpcStatus } from "../status.ts";

export interface TranscoderOptions {
  /** The largest message either way, as JSON and as protobuf. */
  readonly maxMessageBytes: number;
  /** The most objects and arrays in one JSON message from a client. */
  readonly maxNested: number;
  /** Prints fields that have their default value (proto3's JSON leaves out those without presence). */
  readonly emitDefaults: boolean;
  /** Prints `user_id` as the schema has it, where proto3's JSON says `userId`. Both are read always. */
  readonly keepProtoNames: boolean;
  /** Prints enums as numbers. Names and numbers are read always. */
  readonly enumsAsNumbers: boolean;
  /** Takes JSON fields and enum names that the schema does not know, and drops them. */
  readonly ignoreUnknownFields: boolean;
  /** Takes query parameters that name no field, and drops them. */
  readonly ignoreUnknownParameters: boolean;
  /** What to tell a client whose stream broke off after its head was sent. */
  readonly statusOfFailure: (error: unknown) => GrpcStatus;
}

export const DEFAULT_OPTIONS: TranscoderOptions = {
  maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES, // a gRPC server takes no more unless told otherwise
  maxNested: 100_000, // each is up to 10 us of work, which nobody else can be served in: 4 MiB of `{}` are ten seconds
  emitDefaults: false, // proto3's JSON mapping
  keepProtoNames: false, // proto3's JSON mapping
  enumsAsNumbers: false, // proto3's JSON mapping
  ignoreUnknownFields: false, // a misspelt field is an error, not a silent default
  ignoreUnknownParameters: false, // likewise
  statusOfFailure: () => ({ code: GRPC.UNAVAILABLE, message: "the stream broke off" }),
};
