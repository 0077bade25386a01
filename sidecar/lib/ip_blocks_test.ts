import { assertEquals, assertThrows } from "@std/assert";
import { IpBlocks, parseIp } from "./ip_blocks.ts";

Deno.test("parseIp reads IPv4 strictly: four decimal bytes, no octal, no short forms", () => {
  assertEquals(parseIp("1.2.3.4"), { bits: 0x01020304n, size: 32 });
  assertEquals(parseIp("255.255.255.255"), { bits: 0xffffffffn, size: 32 });
  const bad = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.-4",
    " 1.2.3.4",
    "1.2.3.4 ",
  ]
    .concat(["0x1.2.3.4", "1.2.3.4/8", "1.2.3.4:80", "unknown", "1..2.3", "١.2.3.4"]);
  assertEquals(bad.filter((text) => parseIp(text) !== null), []);
});

Deno.test("parseIp reads every spelling of IPv6 alike", () => {
  const wanted = { bits: 0x20010db8_00000000_00000000_00000001n, size: 128 as const };
  for (
    const text of ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8:0:0::1", "2001:db8::0.0.0.1"]
  ) {
    assertEquals(parseIp(text), wanted, text);
  }
  assertEquals(parseIp("::"), { bits: 0n, size: 128 });
  assertEquals(parseIp("1::"), { bits: 1n << 112n, size: 128 });
  const bad = [
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "g::",
    "::1%eth0",
  ]
    .concat(["1:2:3:4:5:6:7:8::", "[::1]", "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "::01.2.3.4"]);
  assertEquals(bad.filter((text) => parseIp(text) !== null), []);
});

Deno.test("parseIp takes IPv4 inside IPv6 for the IPv4 it is, however it is spelled", () => {
  const wanted = { bits: 0x0a000001n, size: 32 as const };
  for (
    const text of ["::ffff:10.0.0.1", "::FFFF:10.0.0.1", "::ffff:a00:1", "0:0:0:0:0:ffff:0a00:0001"]
  ) {
    assertEquals(parseIp(text), wanted, text);
  }
});

Deno.test("IpBlocks contains what lies in a block and nothing beside it", () => {
  const blocks = new IpBlocks(["10.0.0.0/8", "192.168.1.7", "fd00::/8", "172.16.0.0/12"]);
  const inside = ["10.0.0.0", "10.255.255.255", "192.168.1.7", "fd12::1", "172.31.0.1"]
    .concat(["::ffff:10.1.1.1"]);
  const outside = ["9.255.255.255", "11.0.0.0", "192.168.1.8", "fe00::1", "172.32.0.0", "::1"]
    .concat(["", "unknown", "10.0.0", "a00::"]);
  assertEquals(inside.filter((address) => !blocks.contains(address)), []);
  assertEquals(outside.filter((address) => blocks.contains(address)), []);
});

Deno.test("IpBlocks of no block contains nobody, and of /0 everybody of that family", () => {
  assertEquals(new IpBlocks([]).contains("10.0.0.1"), false);
  const everybody = new IpBlocks(["0.0.0.0/0"]);
  assertEquals(everybody.contains("203.0.113.9"), true);
  assertEquals(everybody.contains("2001:db8::1"), false);
});

Deno.test("IpBlocks takes the bits behind the prefix for what they are: noise", () => {
  const blocks = new IpBlocks(["10.1.2.3/8"]);
  assertEquals(blocks.contains("10.200.0.1"), true);
});

Deno.test("IpBlocks refuses what is no block; an empty length must not become /0", () => {
  const bad = [
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8.0",
    "10.0.0.0/ 8",
    "10.0.0.0/0x8",
  ]
    .concat(["10.0.0.0/1e1", "10.0.0.0/08", "10.0.0.0/8/8", "fd00::/129", "", "/8", "example.com"]);
  for (const block of bad) assertThrows(() => new IpBlocks([block]), SyntaxError, block);
});
