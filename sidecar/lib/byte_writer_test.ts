import { assert, assertEquals } from "@std/assert";
import { latin1, latin1Bytes } from "./bytes.ts";
import { ByteWriter } from "./byte_writer.ts";

function textOf(writer: ByteWriter): string {
  const view = writer.view();
  return latin1(view, 0, view.length);
}

Deno.test("ByteWriter appends text, bytes and line ends in order", () => {
  const writer = new ByteWriter();
  writer.text("GET / HTTP/1.1");
  writer.crlf();
  writer.copy(latin1Bytes("host: a"));
  writer.copy(latin1Bytes("..\r\n.."), 2, 4);
  assertEquals(textOf(writer), "GET / HTTP/1.1\r\nhost: a\r\n");
});

Deno.test("ByteWriter grows past its capacity and keeps what was there", () => {
  const long = "x".repeat(100);
  for (const capacity of [0, 1, 2, 5]) {
    const writer = new ByteWriter(capacity);
    writer.text("ab");
    writer.crlf();
    writer.text(long);
    writer.copy(latin1Bytes(long));
    writer.crlf();
    assertEquals(textOf(writer), `ab\r\n${long}${long}\r\n`, `capacity ${capacity}`);
  }
});

Deno.test("ByteWriter.reserve makes room once, at least doubling, so that appending stays linear", () => {
  const writer = new ByteWriter(8);
  writer.text("12345678");
  writer.reserve(1);
  assertEquals(writer.bytes.length, 16);
  const grown = writer.bytes;
  writer.reserve(8);
  assert(writer.bytes === grown, "there was room already");
  writer.reserve(100);
  assertEquals(writer.bytes.length, 108);
  assertEquals(textOf(writer), "12345678");
});

Deno.test("ByteWriter.reset starts over in the same memory", () => {
  const writer = new ByteWriter(8);
  writer.text("old");
  const { bytes } = writer;
  writer.reset();
  assertEquals(writer.view().length, 0);
  writer.text("n");
  assert(writer.bytes === bytes);
  assertEquals(textOf(writer), "n");
});

Deno.test("ByteWriter.view is of the bytes it has now, also when its owner changed them", () => {
  const writer = new ByteWriter(8);
  writer.text("ab");
  assertEquals(writer.view(), new Uint8Array([97, 98]));
  writer.bytes = new Uint8Array(8);
  writer.reset();
  writer.text("cd");
  assertEquals(writer.view(), new Uint8Array([99, 100]));
});

Deno.test("ByteWriter.view holds on to small bytes alone, which are its own", () => {
  const views = [4096, 4097].map((size) => {
    const writer = new ByteWriter(size);
    writer.text("ab");
    return writer.view() === writer.view();
  });
  assertEquals(views, [true, false]);
});
