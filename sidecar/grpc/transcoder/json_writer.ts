// Messages from the upstream as JSON text, as the operator's options and the binding's response_body have it.
import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type JsonWriteOptions,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { COMPRESSED, type GrpcMessage, malformed } from "../framing.ts";
import type { TranscoderOptions } from "./options.ts";

export class JsonWriter {
  readonly #message: DescMessage;
  readonly #field: DescField | undefined;
  readonly #options: Partial<JsonWriteOptions>;

  constructor(
    message: DescMessage,
    field: DescField | undefined,
    registry: Registry,
    options: TranscoderOptions,
  ) {
    this.#message = message;
    this.#field = field;
    this.#options = {
      registry,
      alwaysEmitImplicit: options.emitDefaults,
      useProtoFieldName: options.keepProtoNames,
      enumAsInteger: options.enumsAsNumbers,
    };
  }

  /** One line of JSON. Throws ProxyError where the message is none of its type, or holds an Any of a type not known. */
  write({ flags, bytes }: GrpcMessage): string {
    // No grpc-accept-encoding was sent, so that this is nobody's right.
    if ((flags & COMPRESSED) !== 0) throw malformed("upstream", "compressed without being asked");
    try {
      const json = toJson(this.#message, fromBinary(this.#message, bytes), this.#options);
      return JSON.stringify(this.#field === undefined ? json : this.#part(this.#field, json));
    } catch (error) {
      throw malformed("upstream", `${this.#message.typeName} cannot be written as JSON`, error);
    }
  }

  /** A field that JSON leaves out has its default, which alone must be written. */
  #part(field: DescField, json: JsonValue): JsonValue {
    const name = this.#options.useProtoFieldName === true ? field.name : field.jsonName;
    const value = (json as JsonObject)[name];
    if (value !== undefined) return value;
    const defaults = toJson(this.#message, create(this.#message), {
      ...this.#options,
      alwaysEmitImplicit: true,
    });
    return (defaults as JsonObject)[name] ?? null;
  }
}
