import { assertEquals } from "@std/assert";
import { fieldId } from "../../http/field_names.ts";
import { STATIC_COUNT, STATIC_FIELDS } from "./static_table.ts";

Deno.test("the static table is that of RFC 7541 appendix A", () => {
  assertEquals(STATIC_COUNT, 61);
  // deno-fmt-ignore
  const listed: [index: number, name: string, value: string][] = [
    [1, ":authority", ""], [2, ":method", "GET"], [3, ":method", "POST"], [4, ":path", "/"],
    [5, ":path", "/index.html"], [6, ":scheme", "http"], [7, ":scheme", "https"], [8, ":status", "200"],
    [9, ":status", "204"], [10, ":status", "206"], [11, ":status", "304"], [12, ":status", "400"],
    [13, ":status", "404"], [14, ":status", "500"], [15, "accept-charset", ""],
    [16, "accept-encoding", "gzip, deflate"], [17, "accept-language", ""], [19, "accept", ""],
    [20, "access-control-allow-origin", ""], [23, "authorization", ""], [28, "content-length", ""],
    [31, "content-type", ""], [32, "cookie", ""], [33, "date", ""], [38, "host", ""],
    [46, "location", ""], [48, "proxy-authenticate", ""], [50, "range", ""], [54, "server", ""],
    [55, "set-cookie", ""], [57, "transfer-encoding", ""], [58, "user-agent", ""], [60, "via", ""],
    [61, "www-authenticate", ""],
  ];
  for (const [index, name, value] of listed) {
    const field = STATIC_FIELDS[index]!;
    assertEquals([field.name, field.value], [name, value], `index ${index}`);
    assertEquals([field.staticIndex, field.id], [index, fieldId(name)], name);
  }
});
