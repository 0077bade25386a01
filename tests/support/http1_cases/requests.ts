// Request heads: start lines, targets, fields, hosts; framing and connections stand beside.
import { bad, get, head, type RequestCase, tooLarge, tooLong } from "./case.ts";
import { CONNECTIONS, FRAMINGS } from "./framings.ts";

const REQUEST_LINES: readonly RequestCase[] = [
  { name: "the least of a request", bytes: get(), accepted: {} },
  { name: "one empty line before it", bytes: "\r\n" + get(), accepted: {} },
  { name: "two empty lines before it", bytes: "\r\n\r\n" + get(), ...bad("no version") },
  { name: "an empty line of LF before it", bytes: "\n" + get(), ...bad("LF without CR") },
  { name: "a CR alone before it", bytes: "\r" + get(), ...bad("CR without LF") },
  {
    name: "a method of every kind of token character",
    bytes: head("m!$%&'*+-.^_`|~9 / HTTP/1.1", "Host: a"),
    accepted: { method: "m!$%&'*+-.^_`|~9" },
  },
  {
    name: "a method in lower case is another method",
    bytes: head("get / HTTP/1.1", "Host: a"),
    accepted: { method: "get" },
  },
  {
    name: "a method with a colon",
    bytes: head("G:T / HTTP/1.1", "Host: a"),
    ...bad("the method is not a token"),
  },
  { name: "no method", bytes: head(" / HTTP/1.1", "Host: a"), ...bad("no version") },
  {
    name: "a space before the method",
    bytes: head(" GET / HTTP/1.1", "Host: a"),
    ...bad("method is not a token"),
  },
  {
    name: "an empty line and a space before the method",
    bytes: "\r\n" + head(" / HTTP/1.1", "Host: a"),
    ...bad("the method is not a token"),
  },
  { name: "two spaces", bytes: head("GET  / HTTP/1.1", "Host: a"), ...bad("two spaces") },
  { name: "a space at the end", bytes: head("GET / HTTP/1.1 ", "Host: a"), ...bad("two spaces") },
  { name: "a tab for a space", bytes: head("GET\t/ HTTP/1.1", "Host: a"), ...bad("white space") },
  {
    name: "a form feed for a space",
    bytes: head("GET\f/ HTTP/1.1", "Host: a"),
    ...bad("the byte 0x0c in the start line"),
  },
  { name: "a NUL", bytes: head("GET /\0 HTTP/1.1", "Host: a"), ...bad("the byte 0x00") },
  { name: "a bare LF", bytes: "GET / HTTP/1.1\nHost: a\r\n\r\n", ...bad("LF without CR") },
  { name: "a bare CR", bytes: "GET / HTTP/1.1\rHost: a\r\n\r\n", ...bad("CR without LF") },
  { name: "two CRs", bytes: "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", ...bad("CR without LF") },
  { name: "HTTP/0.9", bytes: head("GET /"), ...bad("no version") },
  { name: "no target", bytes: head("GET HTTP/1.1", "Host: a"), ...bad("no version") },
  { name: "an empty version", bytes: head("GET / ", "Host: a"), ...bad("does not end in") },
  {
    name: "a version in lower case",
    bytes: head("GET / http/1.1", "Host: a"),
    ...bad("does not end in HTTP/1.1"),
  },
  {
    name: "a version of two digits",
    bytes: head("GET / HTTP/1.10", "Host: a"),
    ...bad("does not end in HTTP/1.1"),
  },
  {
    name: "a version with a comma",
    bytes: head("GET / HTTP/1,1", "Host: a"),
    ...bad("does not end in HTTP/1.1"),
  },
  ...["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"].map((version) => ({
    name: `the version ${version}`,
    bytes: head(`GET / ${version}`, "Host: a"),
    refused: { kind: "version-not-supported" as const, message: `${version} is not spoken here` },
  })),
  {
    name: "nearly the preface of HTTP/2",
    bytes: "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    refused: { kind: "version-not-supported", message: "HTTP/2.0 is not spoken here" },
  },
  {
    name: "a TLS ClientHello",
    bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ...bad("the byte 0x16 in the start line"),
  },
  {
    name: "a request line as long as may be",
    bytes: head(`GET /${"x".repeat(50)} HTTP/1.1`, "Host: a"),
    accepted: { target: `/${"x".repeat(50)}` },
  },
  {
    name: "a request line as long as may be behind an empty line",
    bytes: "\r\n" + head(`GET /${"x".repeat(50)} HTTP/1.1`, "Host: a"),
    accepted: { target: `/${"x".repeat(50)}` },
  },
  {
    name: "a request line that is one byte too long",
    bytes: head(`GET /${"x".repeat(51)} HTTP/1.1`, "Host: a"),
    ...tooLong("the request line is longer than 64 bytes"),
  },
  {
    name: "a request line without an end",
    bytes: `GET /${"x".repeat(100)}`,
    ...tooLong("the request line is longer than 64 bytes"),
  },
  {
    name: "a request line too long and bad behind its limit",
    bytes: `GET /${"x".repeat(80)}\0\n`,
    ...tooLong("the request line is longer than 64 bytes"),
  },
  {
    name: "a request line too long with a bare CR behind its limit",
    bytes: `GET /${"x".repeat(80)}\rx`,
    ...tooLong("the request line is longer than 64 bytes"),
  },
];

const TARGETS: readonly RequestCase[] = [
  {
    name: "a path with a query goes on as it came",
    bytes: head("GET /a%20b?c=d&e=%00 HTTP/1.1", "Host: a"),
    accepted: { target: "/a%20b?c=d&e=%00" },
  },
  {
    name: "an absolute target takes the place of Host",
    bytes: head("GET http://real.test/p HTTP/1.1", "Host: evil.test"),
    accepted: {
      form: "absolute",
      authority: "real.test",
      target: "/p",
      fields: ["host: real.test"],
    },
  },
  {
    name: "an absolute target without a path",
    bytes: head("GET HTTP://real.test:81?q HTTP/1.1", "Host: a"),
    accepted: { form: "absolute", authority: "real.test:81", target: "/?q" },
  },
  {
    name: "OPTIONS of a whole server by its address (RFC 9112 3.2.4)",
    bytes: head("OPTIONS http://real.test HTTP/1.1", "Host: a"),
    accepted: { method: "OPTIONS", form: "absolute", authority: "real.test", target: "*" },
  },
  {
    name: "OPTIONS *",
    bytes: head("OPTIONS * HTTP/1.1", "Host: a"),
    accepted: { method: "OPTIONS", form: "asterisk", target: "*" },
  },
  {
    name: "CONNECT",
    bytes: head("CONNECT db.test:5432 HTTP/1.1", "Host: db.test"),
    accepted: {
      method: "CONNECT",
      form: "authority",
      authority: "db.test:5432",
      target: "db.test:5432",
      fields: ["host: db.test:5432"],
    },
  },
  {
    name: "CONNECT without a port",
    bytes: head("CONNECT db.test HTTP/1.1", "Host: a"),
    ...bad("CONNECT is not host:port"),
  },
  {
    name: "CONNECT with a path",
    bytes: head("CONNECT /db HTTP/1.1", "Host: a"),
    ...bad("CONNECT is not host:port"),
  },
  { name: "GET *", bytes: head("GET * HTTP/1.1", "Host: a"), ...bad("for OPTIONS alone") },
  {
    name: "a target of another scheme",
    bytes: head("GET https://a/ HTTP/1.1", "Host: a"),
    ...bad("neither a path nor an http:// address"),
  },
  {
    name: "an authority without CONNECT",
    bytes: head("GET a:80 HTTP/1.1", "Host: a"),
    ...bad("neither a path nor an http:// address"),
  },
  {
    name: "an absolute target without a host",
    bytes: head("GET http:///p HTTP/1.1", "Host: a"),
    ...bad("the authority of the target"),
  },
  {
    name: "an absolute target with a user",
    bytes: head("GET http://a@b/p HTTP/1.1", "Host: a"),
    ...bad("the authority of the target"),
  },
  {
    name: "an absolute target with a port of letters",
    bytes: head("GET http://a:8x/p HTTP/1.1", "Host: a"),
    ...bad("the authority of the target"),
  },
  { name: "a fragment", bytes: head("GET /a#b HTTP/1.1", "Host: a"), ...bad("the byte 0x23") },
  {
    name: "a byte above ASCII",
    bytes: head("GET /\xe9 HTTP/1.1", "Host: a"),
    ...bad("the byte 0xe9 in the start line"),
  },
];

const FIELDS: readonly RequestCase[] = [
  {
    name: "white space around values is not theirs",
    bytes: get("X: \t v w \t ", "Y:z", "Z: "),
    accepted: { fields: ["Host: a", "X: \t v w \t ", "Y:z", "Z: "] },
  },
  {
    name: "bytes above ASCII in a value stay as they are",
    bytes: get("X: caf\xe9 \x80\xff"),
    accepted: { fields: ["Host: a", "X: caf\xe9 \x80\xff"] },
  },
  {
    name: "repeated names stay apart and in order",
    bytes: get("X: 1", "x: 2", "X: 3"),
    accepted: { fields: ["Host: a", "X: 1", "x: 2", "X: 3"] },
  },
  {
    name: "eight fields",
    bytes: get("b: 1", "c: 1", "d: 1", "e: 1", "f: 1", "g: 1", "h: 1"),
    accepted: {
      fields: ["Host: a", "b: 1", "c: 1", "d: 1", "e: 1", "f: 1", "g: 1", "h: 1"],
    },
  },
  {
    name: "nine fields",
    bytes: get("b: 1", "c: 1", "d: 1", "e: 1", "f: 1", "g: 1", "h: 1", "i: 1"),
    ...tooLarge("more than 8 fields"),
  },
  {
    name: "a head as large as may be",
    bytes: get(`x: ${"y".repeat(512 - get("x: ").length)}`),
    accepted: { fields: ["Host: a", `x: ${"y".repeat(512 - get("x: ").length)}`] },
  },
  {
    name: "a head that is one byte too large",
    bytes: get(`x: ${"y".repeat(513 - get("x: ").length)}`),
    ...tooLarge("the head is longer than 512 bytes"),
  },
  {
    name: "a head without an end",
    bytes: get().slice(0, -2) + "x: y\r\n".repeat(7) + `z: ${"z".repeat(600)}`,
    ...tooLarge("the head is longer than 512 bytes"),
  },
  { name: "a space before the colon", bytes: get("X : y"), ...bad("white space in a field name") },
  { name: "a tab before the colon", bytes: get("X\t: y"), ...bad("white space in a field name") },
  { name: "a space in a name", bytes: get("X Y: z"), ...bad("white space in a field name") },
  { name: "a field without a colon", bytes: get("XY"), ...bad("the byte 0x0d in a field name") },
  { name: "a field without a name", bytes: get(": y"), ...bad("a field without a name") },
  { name: "a folded line", bytes: get("X: y", " z"), ...bad("obs-fold") },
  { name: "a line folded by a tab", bytes: get("X: y", "\tz"), ...bad("obs-fold") },
  {
    name: "a space before the first field",
    bytes: head("GET / HTTP/1.1", " Host: a"),
    ...bad("obs-fold"),
  },
  { name: "a NUL in a name", bytes: get("X\0: y"), ...bad("the byte 0x00 in a field name") },
  { name: "a NUL in a value", bytes: get("X: y\0"), ...bad("the byte 0x00 in a field value") },
  { name: "a vertical tab in a value", bytes: get("X: y\vz"), ...bad("the byte 0x0b") },
  { name: "a DEL in a value", bytes: get("X: \x7f"), ...bad("the byte 0x7f in a field value") },
  { name: "a name above ASCII", bytes: get("\xe9: y"), ...bad("the byte 0xe9 in a field name") },
  { name: "a name with brackets", bytes: get("X[0]: y"), ...bad("the byte 0x5b in a field name") },
  { name: "a name with a slash", bytes: get("X/Y: z"), ...bad("the byte 0x2f in a field name") },
  { name: "a quoted name", bytes: get('"X": y'), ...bad("the byte 0x22 in a field name") },
  { name: "a bare LF behind a value", bytes: get("X: y\nZ: z"), ...bad("LF without CR") },
  { name: "a bare LF in a name", bytes: get("X\nY: z"), ...bad("LF without CR in a field name") },
  { name: "a bare CR in a value", bytes: get("X: y\rZ: z"), ...bad("CR without LF") },
  { name: "a bare CR in a name", bytes: get("X\rY: z"), ...bad("the byte 0x0d in a field name") },
  {
    name: "a bare LF for the empty line",
    bytes: "GET / HTTP/1.1\r\nHost: a\r\n\n",
    ...bad("LF without CR"),
  },
  {
    name: "a bare CR for the empty line",
    bytes: "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n",
    ...bad("CR without LF"),
  },
];

const HOSTS: readonly RequestCase[] = [
  ...["a.test:8080", "", "127.0.0.1:1", "[::1]:80", "[2001:db8::1]", "a_b", "a:"].map((host) => ({
    name: `the Host ${JSON.stringify(host)}`,
    bytes: head("GET / HTTP/1.1", `Host: ${host}`),
    accepted: { authority: host, fields: [`Host: ${host}`] },
  })),
  ...[
    "a b",
    "a,b:80:90",
    "a:b",
    "a:80:90",
    "a:8080x",
    "a@b",
    "a/b",
    "http://a",
    "a\\b",
    "a#b",
    "a?b",
    "a\xe9",
    "[::1",
    "::1",
    "[::1]x",
    "x[::1]",
    "[]",
    "[a/b]",
    "a:1234567",
  ].map((host) => ({
    name: `the Host ${JSON.stringify(host)}`,
    bytes: head("GET / HTTP/1.1", `Host: ${host}`),
    ...bad("Host is not host[:port]"),
  })),
  { name: "no Host", bytes: head("GET / HTTP/1.1"), ...bad("no Host") },
  {
    name: "no Host beside an absolute target",
    bytes: head("GET http://a/ HTTP/1.1"),
    ...bad("no Host"),
  },
  { name: "two Hosts", bytes: get("Host: b"), ...bad("more than one Host") },
  { name: "the same Host twice", bytes: get("host: a"), ...bad("more than one Host") },
];

export const REQUESTS: readonly RequestCase[] = [
  ...REQUEST_LINES,
  ...TARGETS,
  ...FIELDS,
  ...HOSTS,
  ...FRAMINGS,
  ...CONNECTIONS,
];
