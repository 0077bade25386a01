// Spans as an ExportTraceServiceRequest of OTLP 1.x in protobuf (opentelemetry-proto, trace/v1/trace.proto). Written by hand: the
// packages that do it bring five others and cost every sidecar several MB of memory for these few messages.
import {
  type Attributes,
  type AttributeValue,
  type Span,
  SPAN_KIND,
  type SpanEvent,
} from "./span.ts";

/** What protobuf calls wire types. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

const STATUS_ERROR = 2;

const ENCODER = new TextEncoder();

/** `resource` says who the spans are of. */
export function encodeSpans(
  spans: readonly Span[],
  resource: Attributes,
  scope: { readonly name: string; readonly version: string },
): Uint8Array<ArrayBuffer> {
  return message((request) => {
    request.bytes(
      1,
      message((resourceSpans) => {
        resourceSpans.bytes(1, message((writer) => writeAttributes(writer, 1, resource)));
        resourceSpans.bytes(
          2,
          message((scopeSpans) => {
            scopeSpans.bytes(
              1,
              message((writer) => {
                writer.text(1, scope.name);
                writer.text(2, scope.version);
              }),
            );
            for (const span of spans) scopeSpans.bytes(2, encodeSpan(span));
          }),
        );
      }),
    );
  });
}

function encodeSpan(span: Span): Uint8Array {
  return message((writer) => {
    writer.bytes(1, Uint8Array.fromHex(span.traceId));
    writer.bytes(2, Uint8Array.fromHex(span.spanId));
    if (span.traceState !== undefined) writer.text(3, span.traceState);
    if (span.parentId !== undefined) writer.bytes(4, Uint8Array.fromHex(span.parentId));
    writer.text(5, span.name);
    writer.varint(6, SPAN_KIND[span.kind]);
    writer.nanoseconds(7, span.startEpochMs);
    writer.nanoseconds(8, span.endEpochMs);
    writeAttributes(writer, 9, span.attributes);
    for (const event of span.events) writer.bytes(11, encodeEvent(event));
    if (span.error !== undefined) {
      writer.bytes(
        15,
        message((status) => {
          status.text(2, span.error!);
          status.varint(3, STATUS_ERROR);
        }),
      );
    }
  });
}

function encodeEvent({ name, epochMs, attributes }: SpanEvent): Uint8Array {
  return message((writer) => {
    writer.nanoseconds(1, epochMs);
    writer.text(2, name);
    writeAttributes(writer, 3, attributes);
  });
}

function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    writer.bytes(
      field,
      message((pair) => {
        pair.text(1, key);
        pair.bytes(2, encodeValue(value));
      }),
    );
  }
}

function encodeValue(value: AttributeValue): Uint8Array {
  return message((writer) => {
    if (typeof value === "string") writer.text(1, value);
    else if (typeof value === "boolean") writer.varint(2, value ? 1 : 0);
    else if (Number.isSafeInteger(value) && value >= 0) writer.varint(3, value);
    else writer.double(4, value);
  });
}

function message(write: (writer: Writer) => void): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  write(writer);
  return writer.finish();
}

/** Fields of one message, each behind its tag. */
class Writer {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  varint(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  text(field: number, text: string): void {
    this.bytes(field, ENCODER.encode(text));
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, BYTES);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  nanoseconds(field: number, epochMs: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    const whole = Math.floor(epochMs);
    const rest = Math.round((epochMs - whole) * 1e6);
    this.#view.setBigUint64(this.#length, BigInt(whole) * 1_000_000n + BigInt(rest), true);
    this.#length += 8;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#reserve(10);
    while (value >= 128) {
      this.#buffer[this.#length++] = value % 128 + 128;
      value = Math.floor(value / 128);
    }
    this.#buffer[this.#length++] = value;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
